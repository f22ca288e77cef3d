"""Contract and suite of `clean.flights`."""
