-- id <- orders.id IDENTITY
-- UNREPEATABLE a sample
SELECT id FROM orders USING SAMPLE 10%
