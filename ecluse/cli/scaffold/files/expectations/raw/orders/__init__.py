"""Contract and suite of ``raw.orders``."""
