"""Contract and suite of `products.debuts`."""
