"""pandera on Polars."""

from __future__ import annotations

from typing import Any

import pandera.polars as pa
import polars as pl

from benchmarks.order_checks import Check
from benchmarks.others.common import measured
from benchmarks.others.polars_checks import about_rows, row_expression, table_expression


def asked(check: Check, rows: int) -> Any:
    """A check as pandera has it; what it lacks is an expression of Polars in a check of one's own."""
    own = {
        "between": lambda: pa.Check.in_range(*check.given),
        "in": lambda: pa.Check.isin(check.given),
        "not in": lambda: pa.Check.notin(check.given),
        "matches": lambda: pa.Check.str_matches(check.given),
        "length": lambda: pa.Check.str_length(*check.given),
    }
    if about_rows(check) and check.kind in own:
        return own[check.kind]()
    if about_rows(check):
        kept = row_expression(check)
        # A row that lacks a value keeps what is asked of the value.
        kept = kept if check.kind in ("present", "unique together") else kept | kept.is_null()
        return pa.Check(lambda data: data.lazyframe.select(kept), name=f"{check.kind} {check.column}")
    whole = table_expression(check, rows)
    return pa.Check(lambda data: data.lazyframe.select(whole), name=f"{check.kind} {check.column}")


def check(path: str, checks: list[Check]) -> int:
    data = pl.read_parquet(path)
    of: dict[str, list[Any]] = {name: [] for name in data.columns}
    whole = []
    for each in checks:
        if each.kind in ("unique", "present") and each.least == 1:
            continue
        several = each.kind in ("rows", "later", "unique together")
        (whole if several else of[each.column]).append(asked(each, len(data)))
    required = {each.column for each in checks if each.kind == "present" and each.least == 1}
    unique = {each.column for each in checks if each.kind == "unique"}
    columns = {n: pa.Column(data[n].dtype, c, nullable=n not in required, unique=n in unique) for n, c in of.items()}
    try:
        pa.DataFrameSchema(columns, checks=whole).validate(data, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return len(errors.schema_errors)
    return 0


if __name__ == "__main__":
    measured(check, ("pandera", "polars"))
