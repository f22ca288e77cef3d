"""Datasets that are released: what people decide about, and what a model may load."""
