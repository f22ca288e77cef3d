"""Contract and suite of `clean.airlines`."""
