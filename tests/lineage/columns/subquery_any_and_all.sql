-- id <- orders.id IDENTITY
-- ROWS <- emp.id FILTER, emp.id GROUP_BY, emp.id JOIN, emp.pay FILTER, orders.amount FILTER, orders.cust JOIN
SELECT id FROM orders WHERE amount > ANY (SELECT pay FROM emp WHERE emp.id = orders.cust) OR amount < ALL (SELECT pay FROM emp)
