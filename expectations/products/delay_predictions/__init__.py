"""Contract and suite of `products.delay_predictions`."""
