-- name <- customers.name IDENTITY
-- ROWS <- customers.id FILTER, orders.cust FILTER, orders.email FILTER
SELECT c.name FROM customers c WHERE c.id NOT IN (SELECT cust FROM orders WHERE email = 'ok')
