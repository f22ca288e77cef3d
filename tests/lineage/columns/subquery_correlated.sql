-- name <- customers.name IDENTITY
-- most <- orders.amount AGGREGATION
-- ROWS <- customers.id JOIN, orders.cust FILTER, orders.cust GROUP_BY, orders.cust JOIN, orders.email FILTER
SELECT c.name, (SELECT max(amount) FROM orders o WHERE o.cust = c.id AND o.email <> 'bad') AS most FROM customers c
