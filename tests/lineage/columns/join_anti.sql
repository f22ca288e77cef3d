-- id <- orders.id IDENTITY
-- ROWS <- emp.mgr JOIN, orders.cust JOIN
SELECT id FROM orders o ANTI JOIN emp e ON o.cust = e.mgr
