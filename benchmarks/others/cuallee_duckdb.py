"""cuallee on DuckDB. It compares means and the like for equality: bounds are a predicate of one's own."""

from __future__ import annotations

import duckdb
from cuallee import Check as Cuallee
from cuallee import CheckLevel

from benchmarks.order_checks import Check
from benchmarks.others.common import THREADS, measured

#: What is asked of a whole column.
MEASURES = {
    "mean": "avg({})",
    "median": "median({})",
    "deviation": "stddev_samp({})",
    "min": "min({})",
    "max": "max({})",
    "sum": "sum({})",
    "different": "count(DISTINCT {})",
}


def add(asked: Cuallee, check: Check) -> None:
    """One rule; what cuallee lacks is SQL in ``satisfies``, with whole-column measures told first."""
    name, of = check.column, check.given
    match check.kind:
        case "present":
            asked.is_complete(name, check.least)
        case "unique":
            asked.is_unique(name)
        case "unique together":
            asked.is_composite_key([name, of])
        case "between":
            asked.is_between(name, of)
        case "in":
            asked.is_contained_in(name, tuple(of), check.least)
        case "not in":
            asked.not_contained_in(name, tuple(of))
        case "matches":
            asked.has_pattern(name, of)
        case "length":
            asked.satisfies(name, f"length({name}) BETWEEN {of[0]} AND {of[1]}")
        case "later":
            asked.satisfies(name, f"{name} IS NULL OR {name} > {of}")
        case _:
            raise KeyError(check.kind)


def check(path: str, checks: list[Check]) -> int:
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(f"CREATE VIEW orders AS SELECT * FROM read_parquet('{path}')")
    asked, whole = Cuallee(CheckLevel.WARNING, "orders", table_name="orders"), []
    for each in checks:
        if each.kind in MEASURES:
            whole.append((each, MEASURES[each.kind].format(each.column)))
        elif each.kind == "z":
            whole.append((each, f"max(abs({each.column} - m) / s)"))
        elif each.kind != "rows":
            add(asked, each)
    found = asked.validate(connection)
    broken = sum(status == "FAIL" for status in found["status"])
    # cuallee has no bounds for these: one statement, as its user would write it.
    listed = ", ".join(f"{sql} AS c{i}" for i, (_, sql) in enumerate(whole))
    spread = "(SELECT avg(score) AS m, stddev_samp(score) AS s FROM orders)"
    told = connection.execute(f"SELECT {listed} FROM orders, {spread}").fetchone() if whole else ()
    return broken + sum(not _kept(each, value) for (each, _), value in zip(whole, told, strict=True))


def _kept(check: Check, value: float) -> bool:
    if check.kind == "z":
        return value < check.given
    if check.kind == "different":
        return value == check.given
    return bool(check.given[0] <= value <= check.given[1])


if __name__ == "__main__":
    measured(check, ("cuallee", "duckdb"))
