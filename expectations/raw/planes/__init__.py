"""Contract and suite of `raw.planes`."""
