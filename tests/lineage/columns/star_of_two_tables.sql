-- id <- orders.id IDENTITY
-- name <- customers.name IDENTITY
-- region <- customers.region IDENTITY
-- ROWS <- customers.id JOIN, orders.cust JOIN
SELECT o.id, c.* EXCLUDE (id) FROM orders o JOIN customers c ON o.cust = c.id
