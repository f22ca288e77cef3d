"""Contract and suite of `raw.weather`."""
