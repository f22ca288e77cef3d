-- id <- orders.id IDENTITY
-- amount <- orders.amount IDENTITY
-- name <- customers.name IDENTITY
-- ROWS <- customers.id JOIN, orders.id JOIN
SELECT id, amount, name FROM orders JOIN customers USING (id)
