"""Contract and suite of `raw.people`."""
