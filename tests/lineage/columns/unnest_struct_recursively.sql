-- id <- orders.id IDENTITY
-- sku <- orders.items TRANSFORMATION
-- qty <- orders.items TRANSFORMATION
-- ROWS <- orders.items JOIN
SELECT id, unnest(items, recursive := true) FROM orders
