"""Columns with few different values: one grouping of each answers everything about it, and exactly."""

from __future__ import annotations

from typing import Any

from ecluse.quality.profiling.draft import NUMBERS, TIMES, Draft, Table
from ecluse.quality.profiling.found import QUANTILES, Frequent

#: At most so many values are told as the most frequent.
SHOWN = 10


def group(table: Table) -> None:
    """Group each column with few values, and count them."""
    for column in table.each("grouping", [c for c in table.columns if c.few]):
        column.attempt("distinct", lambda column=column: _grouped(table, column))  # type: ignore[misc]
        if "distinct" in column.uncomputed:
            column.few = None


def _grouped(table: Table, column: Draft) -> None:
    engine = table.batch.engine
    values = f"SELECT {column.value} AS v FROM {table.batch.relation}"
    engine.run(
        f"CREATE TEMPORARY TABLE {column.few} AS "
        f"SELECT v, count(*) AS n FROM ({values}) WHERE v IS NOT NULL GROUP BY v ORDER BY v"
    )
    distinct, present, most = engine.row(
        f"SELECT count(*), coalesce(sum(n), 0)::BIGINT, coalesce(max(n), 0) FROM {column.few}"
    )
    column.found |= {
        "distinct": distinct,
        "distinct_exact": True,
        "present": present,
        "unique": present > 0 and most == 1,
    }


def describe(table: Table) -> None:
    """What the groupings say of values: extremes, moments, ranks, lengths, the most frequent."""
    for column in table.columns:
        if column.few is None:
            continue
        if column.kind == "float":
            _attempted(table, column, "infinite", "coalesce(sum(n) FILTER (WHERE isinf(v)), 0)::BIGINT")
        if column.kind == "text":
            _attempted(table, column, "empty", "coalesce(sum(n) FILTER (WHERE v = ''), 0)::BIGINT")
            _attempted(table, column, "shortest", "min(length(v))")
            _attempted(table, column, "longest", "max(length(v))")
        if column.told():
            _attempted(table, column, "minimum", "min(v)")
            _attempted(table, column, "maximum", "max(v)")
        if column.told() and column.kind in NUMBERS:
            column.attempt("deviation", lambda column=column: _moments(table, column))  # type: ignore[misc]
        if column.told() and column.kind in (*NUMBERS, *TIMES):
            column.attempt("quantiles", lambda column=column: _ranks(table, column))  # type: ignore[misc]
        if column.told() or (column.kind == "bool" and not column.withheld):
            column.attempt("frequent", lambda column=column: _frequent(table, column))  # type: ignore[misc]


def _attempted(table: Table, column: Draft, what: str, expression: str) -> None:
    sql = f"SELECT {expression} FROM {column.few}"
    column.found[what] = column.attempt(what, lambda: table.batch.engine.scalar(sql))


def _moments(table: Table, column: Draft) -> None:
    engine, finite = table.batch.engine, "isfinite(v::DOUBLE)"
    count, mean = engine.row(f"SELECT sum(n), fsum(v::DOUBLE * n) / sum(n) FROM {column.few} WHERE {finite}")
    column.found["mean"] = mean
    if count and count > 1:
        squares = "fsum(n * (v::DOUBLE - $1) * (v::DOUBLE - $1))"
        found = engine.scalar(f"SELECT sqrt({squares} / {int(count) - 1}) FROM {column.few} WHERE {finite}", [mean])
        column.found["deviation"] = found


def _ranks(table: Table, column: Draft) -> None:
    present = column.found["present"]
    if not present:
        return
    upto = f"SELECT v, sum(n) OVER (ORDER BY v) AS upto FROM {column.few}"
    ranks = [int((present - 1) * share) + 1 for share in QUANTILES]
    wanted = ", ".join(f"min(v) FILTER (WHERE upto >= {rank})" for rank in ranks)
    found = table.batch.engine.row(f"SELECT {wanted} FROM ({upto})")
    column.found["quantiles"] = tuple(zip(QUANTILES, found, strict=True))


def _frequent(table: Table, column: Draft) -> None:
    found: list[tuple[Any, int]] = table.batch.engine.rows(
        f"SELECT v, n FROM {column.few} WHERE n > 1 ORDER BY n DESC, v LIMIT {SHOWN}"
    )
    column.found["frequent"] = tuple(Frequent(value, count) for value, count in found)
