-- email <- orders.email IDENTITY
-- n <-
-- ROWS <- orders.id JOIN
SELECT o.email, s.n FROM range(10) s(n) LEFT JOIN orders o ON o.id = s.n
