-- x <- orders.cust IDENTITY
-- c <- orders.email AGGREGATION masked
-- ROWS <- orders.cust GROUP_BY, orders.email FILTER
WITH a(x, y) AS MATERIALIZED (SELECT cust, email FROM orders), b AS (SELECT x, count(y) AS c FROM a GROUP BY x)
SELECT * FROM b WHERE c > (SELECT avg(c) FROM b)
