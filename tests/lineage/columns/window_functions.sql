-- id <- orders.id IDENTITY
-- place <- orders.cust WINDOW, orders.id WINDOW, orders.ts WINDOW
-- running <- orders.amount AGGREGATION, orders.cust WINDOW, orders.id WINDOW, orders.ts WINDOW
-- previous <- orders.cust WINDOW, orders.email TRANSFORMATION, orders.id WINDOW, orders.ts WINDOW
-- ahead <- orders.cust WINDOW, orders.id TRANSFORMATION, orders.id WINDOW, orders.ts WINDOW
SELECT
    id,
    row_number() OVER (PARTITION BY cust ORDER BY ts, id) AS place,
    sum(amount) OVER w AS running,
    lag(email, 1, 'none') OVER w AS previous,
    lead(id, 2) OVER w - id AS ahead
FROM orders
WINDOW w AS (PARTITION BY cust ORDER BY ts, id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)
