-- casted <- orders.id TRANSFORMATION
-- tried <- orders.email TRANSFORMATION
-- within <- orders.amount TRANSFORMATION, orders.cust TRANSFORMATION
-- pattern <- orders.email TRANSFORMATION
-- listed <- orders.cust TRANSFORMATION, orders.id TRANSFORMATION
-- negated <- orders.id TRANSFORMATION
-- missing <- orders.email TRANSFORMATION
-- later <- orders.ts TRANSFORMATION
-- joined <- orders.email TRANSFORMATION, orders.email CONDITIONAL, orders.id TRANSFORMATION
SELECT
    CAST(id AS VARCHAR) AS casted,
    TRY_CAST(email AS INTEGER) AS tried,
    amount BETWEEN 1 AND cust AS within,
    email LIKE 'b%' AS pattern,
    id IN (1, 2, cust) AS listed,
    NOT (id > 2) AS negated,
    email IS NULL AS missing,
    ts + INTERVAL 1 DAY AS later,
    id::VARCHAR || '-' || coalesce(email, '?') AS joined
FROM orders
