-- name <- customers.name IDENTITY
-- active <- customers.id TRANSFORMATION, orders.cust TRANSFORMATION, orders.email CONDITIONAL
SELECT c.name, c.id IN (SELECT cust FROM orders WHERE email = 'ok') AS active FROM customers c
