"""Profiles of data: a first look at some rows, and a few passes over all of them."""

from ecluse.quality.profiling.found import (
    ColumnProfile,
    Format,
    Frequent,
    Pair,
    Profile,
    Reference,
    Remark,
    Shape,
    TableProfile,
)
from ecluse.quality.profiling.profile import profile
from ecluse.quality.profiling.relation import Relation
from ecluse.quality.profiling.short import distinct_text, percent, shown, values_text
from ecluse.quality.profiling.told import as_data, counts_of

__all__ = [
    "ColumnProfile",
    "Format",
    "Frequent",
    "Pair",
    "Profile",
    "Reference",
    "Relation",
    "Remark",
    "Shape",
    "TableProfile",
    "as_data",
    "counts_of",
    "distinct_text",
    "percent",
    "profile",
    "shown",
    "values_text",
]
