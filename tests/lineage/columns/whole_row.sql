-- packed <- customers.id TRANSFORMATION, customers.name TRANSFORMATION, customers.region TRANSFORMATION
-- written <- customers.id TRANSFORMATION, customers.name TRANSFORMATION, customers.region TRANSFORMATION
SELECT c AS packed, to_json(c) AS written FROM customers c
