"""Contract and suite of `raw.airlines`."""
