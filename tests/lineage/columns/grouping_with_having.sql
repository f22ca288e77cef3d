-- cust <- orders.cust IDENTITY
-- total <- orders.amount AGGREGATION, orders.email CONDITIONAL
-- mails <- orders.email AGGREGATION, orders.id SORT, orders.ts SORT
-- kinds <- orders.email AGGREGATION masked
-- newest <- orders.id AGGREGATION, orders.ts AGGREGATION
-- ROWS <- orders.amount FILTER, orders.cust GROUP_BY
SELECT
    cust,
    sum(amount) FILTER (WHERE email <> 'bad') AS total,
    string_agg(email, ',' ORDER BY ts, id) AS mails,
    count(DISTINCT email) AS kinds,
    arg_max(id, ts) AS newest
FROM orders
GROUP BY cust
HAVING sum(amount) > 3
