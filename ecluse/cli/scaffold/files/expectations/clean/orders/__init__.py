"""Contract and suite of ``clean.orders``."""
