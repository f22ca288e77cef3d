-- ERROR elsewhere
SELECT * FROM elsewhere
