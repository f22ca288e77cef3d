-- id <- orders.id IDENTITY
-- dice <-
-- today <-
-- UNREPEATABLE random and the clock
SELECT id, random() AS dice, current_date AS today FROM orders
