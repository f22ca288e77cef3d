"""Data that can be relied on."""
