-- ERROR disabled by configuration
SELECT * FROM read_csv('somewhere.csv')
