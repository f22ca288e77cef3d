-- region <- monthly.region IDENTITY
-- ok_total <- monthly.amount AGGREGATION, monthly.month CONDITIONAL
-- ok_n <- monthly.month CONDITIONAL
-- x_total <- monthly.amount AGGREGATION, monthly.month CONDITIONAL
-- x_n <- monthly.month CONDITIONAL
-- ROWS <- monthly.region GROUP_BY
SELECT * FROM monthly PIVOT (sum(amount) AS total, count(*) AS n FOR month IN ('ok', 'x') GROUP BY region)
