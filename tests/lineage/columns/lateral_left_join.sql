-- id <- orders.id IDENTITY
-- most <- emp.pay AGGREGATION
-- ROWS <- emp.id FILTER, emp.id GROUP_BY, emp.id JOIN, orders.cust JOIN
SELECT o.id, l.most FROM orders o LEFT JOIN LATERAL (SELECT max(pay) AS most FROM emp WHERE emp.id = o.cust) l ON true
