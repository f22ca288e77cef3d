-- id <- orders.id IDENTITY
-- name <- emp.name IDENTITY
-- key <- emp.id TRANSFORMATION, orders.cust TRANSFORMATION, orders.cust CONDITIONAL
-- ROWS <- emp.id JOIN, orders.cust JOIN
SELECT o.id, e.name, coalesce(o.cust, e.id) AS key FROM orders o FULL JOIN emp e ON o.cust = e.id
