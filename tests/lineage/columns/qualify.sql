-- id <- orders.id IDENTITY
-- amount <- orders.amount IDENTITY
-- ROWS <- orders.cust FILTER, orders.id FILTER, orders.ts FILTER
SELECT id, amount FROM orders QUALIFY row_number() OVER (PARTITION BY cust ORDER BY ts DESC, id) = 1
