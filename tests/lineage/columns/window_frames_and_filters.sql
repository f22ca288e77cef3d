-- ranged <- orders.amount AGGREGATION, orders.cust WINDOW, orders.ts WINDOW
-- filtered <- orders.amount AGGREGATION, orders.cust WINDOW, orders.email WINDOW
-- second <- orders.amount TRANSFORMATION, orders.amount WINDOW, orders.cust WINDOW, orders.id WINDOW
-- framed <- orders.cust WINDOW, orders.email TRANSFORMATION, orders.id WINDOW, orders.ts WINDOW
SELECT
    min(amount) OVER (PARTITION BY cust ORDER BY ts RANGE BETWEEN INTERVAL 9 DAY PRECEDING AND CURRENT ROW) AS ranged,
    sum(amount) FILTER (WHERE email = 'ok') OVER (PARTITION BY cust) AS filtered,
    nth_value(amount, 2 ORDER BY amount, id) OVER (PARTITION BY cust) AS second,
    last_value(email IGNORE NULLS) OVER (ORDER BY ts, id ROWS BETWEEN cust PRECEDING AND CURRENT ROW) AS framed
FROM orders
