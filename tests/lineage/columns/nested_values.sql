-- deep <- orders.info TRANSFORMATION
-- sku <- orders.items TRANSFORMATION
-- counted <- orders.counts TRANSFORMATION
-- packed <- orders.email TRANSFORMATION, orders.id TRANSFORMATION
-- mapped <- orders.email TRANSFORMATION, orders.id TRANSFORMATION
SELECT info.b.c AS deep, items[1].sku AS sku, counts['x'] AS counted, {'a': id, 'b': email} AS packed, MAP {id: email} AS mapped
FROM orders
