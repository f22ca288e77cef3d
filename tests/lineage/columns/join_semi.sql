-- id <- orders.id IDENTITY
-- email <- orders.email IDENTITY
-- ROWS <- emp.id JOIN, emp.pay FILTER, orders.cust JOIN
SELECT id, email FROM orders o SEMI JOIN emp e ON o.cust = e.id AND e.pay > 20
