-- id <- orders.id IDENTITY
-- email <- orders.email IDENTITY
-- ROWS <- orders.amount SORT, orders.id SORT
SELECT id, email FROM orders ORDER BY amount DESC, id LIMIT 5 OFFSET 1
