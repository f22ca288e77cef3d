-- id <- customers.id IDENTITY
WITH unused AS (SELECT max(pay) AS top FROM emp WHERE mgr > 3), used AS (SELECT id FROM customers)
SELECT id FROM used
