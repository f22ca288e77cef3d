-- id <- customers.id IDENTITY, orders.id IDENTITY
-- name <- customers.name IDENTITY, orders.email IDENTITY
SELECT id, name FROM customers UNION ALL SELECT id, email FROM orders
