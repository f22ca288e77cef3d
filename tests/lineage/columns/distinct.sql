-- email <- orders.email IDENTITY
-- cust <- orders.cust IDENTITY
-- ROWS <- orders.cust GROUP_BY, orders.email GROUP_BY
SELECT DISTINCT email, cust FROM orders
