-- id <- customers.id IDENTITY
-- name <- customers.name IDENTITY
-- region <- customers.region IDENTITY
-- ROWS <- customers.id GROUP_BY, customers.name GROUP_BY, customers.region GROUP_BY
SELECT id, name FROM customers UNION BY NAME SELECT region, id FROM customers
