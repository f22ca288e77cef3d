-- id <- orders.id IDENTITY
-- tag <- orders.tags TRANSFORMATION
-- ROWS <- orders.tags JOIN
SELECT id, unnest(tags) AS tag FROM orders
