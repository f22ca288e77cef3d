-- id <- orders.id IDENTITY
-- tags <- orders.tags AGGREGATION, orders.tags SORT
-- ROWS <- orders.id GROUP_BY, orders.tags JOIN
SELECT id, list(tag ORDER BY tag) AS tags FROM (SELECT unnest(tags) AS tag, id FROM orders) GROUP BY id
