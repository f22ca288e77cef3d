-- id <- emp.id IDENTITY
-- mgr <- emp.mgr IDENTITY
-- ROWS <- emp.id GROUP_BY, emp.id JOIN, emp.mgr GROUP_BY, emp.mgr JOIN
WITH RECURSIVE above AS (SELECT id, mgr FROM emp UNION SELECT e.id, a.mgr FROM emp e JOIN above a ON e.mgr = a.id)
SELECT * FROM above
