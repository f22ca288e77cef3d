-- id <- orders.id IDENTITY
-- email <- orders.email IDENTITY
-- ROWS <- orders.amount FILTER
SELECT * FROM query('SELECT id, email FROM orders WHERE amount > 5')
