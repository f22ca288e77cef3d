"""The code location: what runs, and when."""
