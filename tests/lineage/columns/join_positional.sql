-- id <- orders.id IDENTITY
-- name <- emp.name IDENTITY
SELECT o.id, e.name FROM orders o POSITIONAL JOIN emp e
