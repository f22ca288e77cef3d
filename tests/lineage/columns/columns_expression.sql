-- id <- orders.id IDENTITY
-- email <- orders.email IDENTITY
-- amount <- orders.amount IDENTITY
SELECT id, COLUMNS('^am|^em') FROM orders
