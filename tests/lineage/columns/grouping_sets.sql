-- cust <- orders.cust IDENTITY
-- region <- customers.region IDENTITY
-- total <- orders.amount AGGREGATION
-- level <-
-- ROWS <- customers.id JOIN, customers.region GROUP_BY, orders.cust GROUP_BY, orders.cust JOIN
SELECT cust, region, sum(amount) AS total, grouping(cust) AS level
FROM orders JOIN customers c ON c.id = cust
GROUP BY GROUPING SETS ((cust), (region), ())
