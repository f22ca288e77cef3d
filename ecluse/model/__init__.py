"""Frozen definitions and facts; standard library and pydantic only."""
