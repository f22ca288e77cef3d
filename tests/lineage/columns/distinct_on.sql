-- cust <- orders.cust IDENTITY
-- id <- orders.id IDENTITY
-- email <- orders.email IDENTITY
-- ROWS <- orders.cust GROUP_BY, orders.cust SORT, orders.id SORT, orders.ts SORT
SELECT DISTINCT ON (cust) cust, id, email FROM orders ORDER BY cust, ts DESC, id
