-- id <- orders.id IDENTITY
-- word <-
-- ROWS <- orders.id FILTER
SELECT o.id, v.word FROM orders o, (VALUES (1, 'a'), (2, 'b')) v(number, word) WHERE o.id = v.number
