"""The command line: one module per command group. Only this package imports click and rich."""
