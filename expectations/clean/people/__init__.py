"""Contract and suite of `clean.people`."""
