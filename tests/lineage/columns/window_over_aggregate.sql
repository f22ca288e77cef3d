-- cust <- orders.cust IDENTITY
-- place <- orders.amount WINDOW
-- groups <-
-- ROWS <- orders.cust GROUP_BY
SELECT cust, rank() OVER (ORDER BY sum(amount)) AS place, count(*) OVER () AS groups FROM orders GROUP BY cust
