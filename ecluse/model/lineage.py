"""Which columns came from which columns, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Edge:
    """One input column's influence: DIRECT (identity, transformation, aggregation) or INDIRECT (join, filter, …)."""

    dataset: str
    column: str
    type: str
    subtype: str
    masking: bool = False


@dataclass(frozen=True)
class ColumnLineage:
    """Where the columns of one output come from.

    ``fields`` maps an output column to its edges; ``dataset`` holds edges that decide which rows exist (joins,
    filters, groupings). ``errors`` names what could not be understood: never empty silence.
    """

    fields: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    dataset: tuple[Edge, ...] = ()
    errors: tuple[str, ...] = ()
