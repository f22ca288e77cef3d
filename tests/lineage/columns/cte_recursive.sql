-- id <- emp.id IDENTITY
-- mgr <- emp.mgr IDENTITY
-- name <- emp.name IDENTITY, emp.name TRANSFORMATION
-- depth <-
-- ROWS <- emp.id JOIN, emp.mgr FILTER, emp.mgr JOIN
WITH RECURSIVE chain AS (
    SELECT id, mgr, name, 0 AS depth FROM emp WHERE mgr IS NULL
    UNION ALL
    SELECT e.id, e.mgr, c.name || e.name, depth + 1 FROM emp e JOIN chain c ON e.mgr = c.id WHERE depth < 5
)
SELECT * FROM chain
