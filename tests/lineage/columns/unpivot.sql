-- amount <- monthly.amount IDENTITY
-- kind <-
-- word <- monthly.month TRANSFORMATION, monthly.region TRANSFORMATION
-- ROWS <- monthly.month FILTER, monthly.month JOIN, monthly.region FILTER, monthly.region JOIN
UNPIVOT monthly ON region, month INTO NAME kind VALUE word
