"""Quantiles of columns with many values: exact, a statement each, as long as the values fit in memory."""

from __future__ import annotations

from typing import Any

from ecluse.engine.sql import literal
from ecluse.quality.profiling.draft import NUMBERS, TIMES, Draft, Table
from ecluse.quality.profiling.found import QUANTILES

#: Above this many values their sketch is asked: ranking holds all of them in memory.
EXACT = 25_000_000


def ranks(table: Table) -> None:
    """The quantiles of each column of numbers or times whose few values didn't tell them."""
    asked = [c for c in table.columns if c.few is None and c.told() and c.kind in (*NUMBERS, *TIMES)]
    for column in table.each("ranking", asked):
        column.attempt("quantiles", lambda column=column: _ranked(table, column))  # type: ignore[misc]


def _ranked(table: Table, column: Draft) -> None:
    present = column.found.get("present")
    if not present:
        return
    exact = present <= EXACT
    function = "quantile_disc" if exact else "approx_quantile"
    listed = literal(list(QUANTILES))
    found: list[Any] = table.batch.engine.scalar(
        f"SELECT {function}({column.value}, {listed}) FROM {table.batch.relation} WHERE {column.present}"
    )
    column.found |= {"quantiles": tuple(zip(QUANTILES, found, strict=True)), "quantiles_exact": exact}
