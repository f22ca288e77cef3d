"""The reference project's datasets, one file each: as they came, cleaned, and the products that people decide about."""
