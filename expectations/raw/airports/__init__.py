"""Contract and suite of `raw.airports`."""
