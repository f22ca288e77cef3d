-- one <-
-- n <-
SELECT 1 AS one, count(*) AS n FROM orders
