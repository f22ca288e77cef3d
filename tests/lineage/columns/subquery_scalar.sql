-- id <- orders.id IDENTITY
-- amount <- orders.amount IDENTITY
-- ROWS <- customers.id FILTER, customers.region FILTER, orders.id FILTER
SELECT id, amount FROM orders WHERE id = (SELECT max(id) FROM customers WHERE region = 'EU')
