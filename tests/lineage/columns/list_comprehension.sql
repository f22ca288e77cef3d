-- made <- orders.cust TRANSFORMATION, orders.email TRANSFORMATION, orders.tags TRANSFORMATION
SELECT [upper(t) || cust FOR t IN tags IF t <> email] AS made FROM orders
