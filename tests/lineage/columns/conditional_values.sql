-- chosen <- orders.amount CONDITIONAL, orders.email TRANSFORMATION, orders.id CONDITIONAL, orders.tags TRANSFORMATION
-- first_there <- orders.email TRANSFORMATION, orders.email CONDITIONAL, orders.tags TRANSFORMATION, orders.tags CONDITIONAL
-- unless_same <- orders.cust CONDITIONAL, orders.id TRANSFORMATION, orders.id CONDITIONAL
-- perhaps <- orders.id CONDITIONAL, orders.ts TRANSFORMATION
SELECT
    CASE WHEN amount > 3 THEN email WHEN id = 2 THEN 'two' ELSE tags[1] END AS chosen,
    coalesce(email, tags[1], 'x') AS first_there,
    nullif(id, cust) AS unless_same,
    if(id > 2, ts, NULL) AS perhaps
FROM orders
