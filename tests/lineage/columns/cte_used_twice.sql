-- id <- orders.id IDENTITY
-- amount <- orders.amount IDENTITY
-- ROWS <- orders.cust JOIN, orders.email FILTER, orders.id JOIN
WITH a AS (SELECT id, amount, cust FROM orders WHERE email = 'ok')
SELECT x.id, y.amount FROM a x JOIN a y ON x.id = y.cust
