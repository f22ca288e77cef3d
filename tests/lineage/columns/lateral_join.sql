-- id <- orders.id IDENTITY
-- twice <- orders.amount TRANSFORMATION
SELECT o.id, l.twice FROM orders o, LATERAL (SELECT o.amount * 2 AS twice) l
