-- ERROR the query names these columns twice: id.
SELECT o.id, c.id FROM orders o JOIN customers c ON o.cust = c.id
