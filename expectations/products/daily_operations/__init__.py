"""Contract and suite of `products.daily_operations`."""
