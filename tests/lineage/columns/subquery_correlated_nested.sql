-- id <- orders.id IDENTITY
-- n <-
-- ROWS <- customers.id FILTER, customers.name FILTER, emp.name FILTER, emp.pay FILTER, orders.amount FILTER, orders.amount GROUP_BY, orders.amount JOIN, orders.cust FILTER, orders.cust GROUP_BY, orders.cust JOIN
SELECT o.id, (SELECT count(*) FROM customers c WHERE c.id = o.cust AND c.name IN (SELECT name FROM emp WHERE emp.pay > o.amount)) AS n
FROM orders o
