-- mailed <- orders.email TRANSFORMATION, orders.tags TRANSFORMATION
-- kept <- orders.amount TRANSFORMATION, orders.tags TRANSFORMATION
SELECT list_transform(tags, lambda t: t || email) AS mailed, list_filter(tags, lambda t: length(t) > amount) AS kept FROM orders
