-- id <- orders.id IDENTITY
-- tag <- orders.tags TRANSFORMATION
-- ordinality <-
-- ROWS <- orders.tags JOIN
SELECT o.id, u.tag, u.ordinality FROM orders o, unnest(o.tags) WITH ORDINALITY u(tag)
