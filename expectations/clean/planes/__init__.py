"""Contract and suite of `clean.planes`."""
