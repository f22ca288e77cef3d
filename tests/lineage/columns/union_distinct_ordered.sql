-- id <- customers.id IDENTITY, orders.id IDENTITY
-- ROWS <- customers.id GROUP_BY, customers.id SORT, orders.id GROUP_BY, orders.id SORT
SELECT id FROM orders UNION SELECT id FROM customers ORDER BY id LIMIT 3
