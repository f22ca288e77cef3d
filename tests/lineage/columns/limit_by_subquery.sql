-- id <- orders.id IDENTITY
-- ROWS <- customers.id FILTER, orders.id SORT, orders.ts SORT
SELECT id FROM orders ORDER BY ts, id LIMIT (SELECT max(id) FROM customers)
