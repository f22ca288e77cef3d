"""Quantiles of columns with many values: exact, by the passes that suites take for theirs."""

from __future__ import annotations

from ecluse.quality.profiling.draft import NUMBERS, TIMES, Draft, Table
from ecluse.quality.profiling.found import QUANTILES
from ecluse.quality.ranks import at_ranks


def ranks(table: Table) -> None:
    """The quantiles of each column of numbers or times whose few values didn't tell them."""
    asked = [c for c in table.columns if c.few is None and c.told() and c.kind in (*NUMBERS, *TIMES)]
    for column in table.each("ranking", asked):
        column.attempt("quantiles", lambda column=column: _ranked(table, column))  # type: ignore[misc]


def _ranked(table: Table, column: Draft) -> None:
    present = column.found.get("present")
    if not present:
        return
    source = f"(SELECT {column.value} AS v FROM {table.batch.relation} WHERE {column.present})"
    places = [int((present - 1) * share) for share in QUANTILES]
    found = at_ranks(table.batch, source, places, present)
    column.found["quantiles"] = tuple((share, found[place]) for share, place in zip(QUANTILES, places, strict=True))
