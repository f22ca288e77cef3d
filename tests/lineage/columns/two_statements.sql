-- ERROR 2 statements were given; column lineage is of one query.
SELECT 1 AS a; SELECT 2 AS b
