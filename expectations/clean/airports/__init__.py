"""Contract and suite of `clean.airports`."""
