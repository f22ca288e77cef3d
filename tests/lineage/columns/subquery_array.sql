-- region <- customers.region IDENTITY
-- mails <- orders.email AGGREGATION, orders.email CONDITIONAL, orders.id CONDITIONAL, orders.id SORT, orders.ts CONDITIONAL, orders.ts SORT
-- ROWS <- customers.id JOIN, orders.cust FILTER, orders.cust GROUP_BY, orders.cust JOIN, orders.id SORT, orders.ts SORT
SELECT region, ARRAY(SELECT o.email FROM orders o WHERE o.cust = c.id ORDER BY o.ts, o.id) AS mails FROM customers c
