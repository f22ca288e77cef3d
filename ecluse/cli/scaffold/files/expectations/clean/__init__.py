"""Promises about clean data."""
