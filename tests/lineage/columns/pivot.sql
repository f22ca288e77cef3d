-- region <- monthly.region IDENTITY
-- ok <- monthly.amount AGGREGATION, monthly.month CONDITIONAL
-- bad <- monthly.amount AGGREGATION, monthly.month CONDITIONAL
-- ROWS <- monthly.region GROUP_BY
PIVOT monthly ON month IN ('ok', 'bad') USING sum(amount) GROUP BY region
