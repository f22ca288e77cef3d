-- id <- orders.id IDENTITY
-- name <- emp.name IDENTITY
-- ROWS <- emp.id JOIN, emp.mgr JOIN, orders.cust JOIN
SELECT o.id, e.name FROM orders o LEFT JOIN emp e ON o.cust BETWEEN e.mgr AND e.id
