"""How one column influences another, as sets of edges, and the three ways in which edges pass on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ecluse.model.lineage import Edge

#: Where one column's values come from.
Column = frozenset[Edge]

#: A column that no input column influences: a constant, a counter.
NOTHING: Column = frozenset()

DIRECT, INDIRECT = "DIRECT", "INDIRECT"
_RANK = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


@dataclass(frozen=True)
class Relation:
    """What an operator gives: its columns in order, and the columns that decide which rows there are."""

    columns: tuple[Column, ...]
    rows: Column = NOTHING

    def decided_by(self, columns: Iterable[Column], subtype: str) -> Relation:
        """The same columns, whose rows are also decided by ``columns``."""
        return replace(self, rows=self.rows | deciding(merged(columns), subtype))


def merged(columns: Iterable[Column]) -> Column:
    """Everything that influences any of ``columns``."""
    return frozenset().union(*columns)


def transformed(column: Column, subtype: str, *, masking: bool = False) -> Column:
    """The column after a function: what was an identity becomes ``subtype``, and an aggregation stays one."""
    return frozenset(
        replace(e, subtype=max(e.subtype, subtype, key=_RANK.__getitem__), masking=e.masking or masking)
        if e.type == DIRECT
        else e
        for e in column
    )


def deciding(column: Column, subtype: str) -> Column:
    """The column as something that shows none of its values but decides (``FILTER``, ``JOIN``, ``WINDOW`` …)."""
    return frozenset(Edge(e.dataset, e.column, INDIRECT, subtype) for e in column)
