-- id <- customers.id IDENTITY
-- name <- customers.name IDENTITY
-- region <- customers.region IDENTITY
SELECT * FROM customers
