-- ERROR is no column of it
SELECT rowid AS number, id FROM orders
