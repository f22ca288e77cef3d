"""Datasets that were cleaned: one meaning per column, one name per thing, every left-out row counted."""
