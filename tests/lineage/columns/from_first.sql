-- id <- orders.id IDENTITY
-- amount <- orders.amount IDENTITY
-- ROWS <- orders.amount FILTER
FROM orders SELECT id, amount WHERE amount > 2
