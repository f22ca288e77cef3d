-- name <- customers.name IDENTITY
-- ROWS <- customers.id FILTER, orders.amount FILTER, orders.cust FILTER
SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.cust = c.id AND o.amount > 3)
