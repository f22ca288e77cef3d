-- id <- orders.id IDENTITY
-- cust <- orders.cust IDENTITY
-- email <- orders.email TRANSFORMATION
-- amount <- orders.amount IDENTITY
-- moment <- orders.ts IDENTITY
SELECT * EXCLUDE (tags, items, info, counts) REPLACE (upper(email) AS email) RENAME (ts AS moment) FROM orders
