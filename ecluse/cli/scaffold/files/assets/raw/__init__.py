"""Data as it came."""
