-- id <- orders.id IDENTITY
-- pay <- emp.pay IDENTITY
-- ROWS <- emp.id JOIN, emp.pay JOIN, orders.amount JOIN, orders.cust JOIN
SELECT o.id, e.pay FROM orders o ASOF JOIN emp e ON o.cust = e.id AND o.amount >= e.pay
