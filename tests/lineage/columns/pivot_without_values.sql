-- ERROR DuckDB has no plan as JSON for this statement
PIVOT monthly ON month USING sum(amount)
