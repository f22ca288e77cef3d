"""Promises about raw data."""
