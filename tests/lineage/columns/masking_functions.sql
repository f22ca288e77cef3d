-- digest <- orders.email TRANSFORMATION masked
-- size <- orders.email TRANSFORMATION masked
-- shown <- orders.email TRANSFORMATION masked
-- lowered <- orders.email TRANSFORMATION
SELECT md5(email) AS digest, length(email) AS size, upper(sha256(email)) AS shown, lower(email) AS lowered FROM orders
