"""The shared scan: everything else that can be counted, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecluse.engine.sql import literal, quote
from ecluse.quality.plan import Measure
from ecluse.quality.profiling.draft import NUMBERS, TIMES, Draft, Table
from ecluse.quality.profiling.found import Frequent, Pair


def scan(table: Table) -> None:
    """Plan what is asked of all rows, scan once, and take the answers."""
    planned: list[tuple[Draft, str, Measure]] = []
    for column in table.columns:
        planned += [(column, what, measure) for what, measure in _asked(table, column).items()]
    heavy = [(column, value, measure) for column in table.columns for value, measure in _often(table, column)]
    pairs = [(low, high, _pair(table, low, high)) for low, high in table.likely_pairs]
    table.tell("scanning", 0)
    table.plan.run()
    for column, what, measure in planned:
        column.found[what] = column.attempt(what, measure)
    for column in table.columns:
        if column.found.get("distinct") is not None and column.found.get("present") is not None:
            # A sketch may say more than there can be.
            column.found["distinct"] = min(column.found["distinct"], column.found["present"])
    for column, value, measure in heavy:
        counted = column.attempt("frequent", measure)
        if counted is not None:
            column.found["frequent"] = (*column.found.get("frequent", ()), Frequent(value, counted))
    for low, high, measures in pairs:
        both, above = (low.attempt("pairs", measure) for measure in measures)
        if both and above == 0:
            table.pairs.append(Pair(low.name, high.name, both))


def _asked(table: Table, column: Draft) -> dict[str, Measure]:
    """What the scan is asked of one column; what its few values say already isn't asked again."""
    plan, present = table.plan, column.present
    found: dict[str, Measure] = {}
    if column.opaque:
        return found
    if column.kind == "float":
        found["nan"] = plan.count(f"isnan({quote(column.name)})")
    if column.few is not None:
        return found
    over = _over(plan.aggregate, present)
    found["present"] = plan.count(present)
    if not column.candidate or column.kind == "float":
        found["distinct"] = over(f"approx_count_distinct({column.value})")
    if column.kind == "float":
        found["infinite"] = plan.count(f"isinf({column.value})")
    if column.kind == "text":
        found["empty"] = plan.count(f"{column.value} = ''")
        found |= {"shortest": over(f"min(length({column.value}))"), "longest": over(f"max(length({column.value}))")}
    if column.told() and column.kind in (*NUMBERS, *TIMES):
        found |= {"minimum": over(f"min({column.value})"), "maximum": over(f"max({column.value})")}
    if column.told() and column.kind in NUMBERS:
        finite = _over(plan.aggregate, f"{present} AND isfinite({column.value}::DOUBLE)")
        found["mean"] = finite(f"avg({column.value}::DOUBLE)")
        found["deviation"] = finite(f"stddev_samp({column.value}::DOUBLE)")
    return found


def _over(aggregate: Callable[[str], Measure], present: str) -> Callable[[str], Measure]:
    return lambda expression: aggregate(f"{expression} FILTER (WHERE {present})")


def _often(table: Table, column: Draft) -> list[tuple[Any, Measure]]:
    return [(value, table.plan.count(f"{column.value} = {literal(value)}")) for value in column.heavy]


def _pair(table: Table, low: Draft, high: Draft) -> tuple[Measure, Measure]:
    """How many rows hold both, and how many of them break the order."""
    both = (low.present, high.present)
    return table.plan.count(*both), table.plan.count(*both, f"{low.value} > {high.value}")
