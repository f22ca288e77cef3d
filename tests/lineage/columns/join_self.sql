-- name <- emp.name IDENTITY
-- boss <- emp.name IDENTITY
-- ROWS <- emp.id FILTER, emp.mgr FILTER, emp.pay FILTER
SELECT a.name, b.name AS boss FROM emp a, emp b WHERE a.mgr = b.id AND a.pay > b.pay
