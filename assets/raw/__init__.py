"""Datasets as they came: each reads one source and changes nothing."""
