-- id <- orders.id IDENTITY
-- ROWS <- emp.id FILTER, emp.mgr FILTER, orders.cust FILTER, orders.id FILTER
SELECT id FROM orders x WHERE (x.id, x.cust) IN (SELECT id, mgr FROM emp)
