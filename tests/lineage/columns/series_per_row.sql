-- id <- orders.id IDENTITY
-- n <- orders.cust TRANSFORMATION
-- ROWS <- orders.cust JOIN
SELECT o.id, s.n FROM orders o, generate_series(1, o.cust) s(n)
