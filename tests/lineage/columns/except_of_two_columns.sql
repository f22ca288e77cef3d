-- id <- orders.id IDENTITY
-- cust <- orders.cust IDENTITY
-- ROWS <- emp.id FILTER, emp.mgr FILTER, orders.cust FILTER, orders.cust GROUP_BY, orders.id FILTER, orders.id GROUP_BY
SELECT id, cust FROM orders EXCEPT SELECT id, mgr FROM emp
