-- id <- orders.id IDENTITY
-- ROWS <- customers.id JOIN, customers.region JOIN, orders.cust JOIN, orders.email JOIN
SELECT o.id FROM orders o JOIN customers c ON o.cust = c.id AND c.region = o.email
