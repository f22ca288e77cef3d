-- next <- orders.id TRANSFORMATION
-- twice <- orders.id TRANSFORMATION
-- ROWS <- orders.id FILTER
SELECT id + 1 AS next, next * 2 AS twice FROM orders WHERE twice > 3
