"""dataframely: a schema with a rule for each check. What is asked of a whole column is an expression in a rule too."""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl

from benchmarks.order_checks import Check
from benchmarks.others.common import measured
from benchmarks.others.polars_checks import about_rows, row_expression, table_expression

KINDS = {
    pl.Int64: dy.Int64,
    pl.Int32: dy.Int32,
    pl.Int16: dy.Int16,
    pl.Float64: dy.Float64,
    pl.String: dy.String,
    pl.Boolean: dy.Bool,
}


def check(path: str, checks: list[Check]) -> int:
    data = pl.read_parquet(path)
    required = {c.column for c in checks if c.kind == "present" and c.least == 1}
    members: dict[str, Any] = {}
    for name, kind in data.schema.items():
        made = KINDS.get(type(kind), dy.Datetime)
        members[name] = made(nullable=name not in required)
    for number, each in enumerate(checks):
        if each.kind == "present" and each.least == 1:
            continue
        kept = row_expression(each) if about_rows(each) else table_expression(each, len(data))
        members[f"rule_{number}"] = dy.rule()(lambda _, kept=kept: kept)
    _, failed = type("Orders", (dy.Schema,), members).filter(data)
    return len(failed.counts())


if __name__ == "__main__":
    measured(check, ("dataframely", "polars"))
