"""Contract and suite of `raw.flights`."""
