-- region <- monthly.region IDENTITY
-- month <- monthly.month IDENTITY
-- most <- monthly.amount AGGREGATION
-- ROWS <- monthly.amount SORT, monthly.month GROUP_BY, monthly.month SORT, monthly.region GROUP_BY, monthly.region SORT
SELECT region, month, max(amount) AS most FROM monthly GROUP BY ALL ORDER BY ALL
