"""Contract and suite of `products.cancelled_by_carrier`."""
