-- id <- orders.id IDENTITY
-- large <- orders.amount TRANSFORMATION
-- ROWS <- customers.id FILTER, customers.region FILTER, orders.amount FILTER, orders.id FILTER
SELECT id, amount > 10 AS large FROM orders INTERSECT ALL SELECT id, region = 'EU' FROM customers
