-- region <- customers.region IDENTITY, monthly.region IDENTITY
-- a <- monthly.amount IDENTITY
-- extra <- customers.name IDENTITY
SELECT region, amount AS a FROM monthly UNION ALL BY NAME SELECT name AS extra, 1.0 AS a, region FROM customers
