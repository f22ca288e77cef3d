"""Contract and suite of `clean.weather`."""
