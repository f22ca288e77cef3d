"""pointblank on Polars."""

from __future__ import annotations

import pointblank as pb
import polars as pl

from benchmarks.order_checks import Check
from benchmarks.others.common import measured
from benchmarks.others.polars_checks import table_expression


def add(asked: pb.Validate, check: Check, rows: int) -> pb.Validate:
    """One step of the plan. What pointblank lacks is a step with an expression of Polars."""
    name, of, share = check.column, check.given, {"thresholds": round(1 - check.least, 6) or None}
    match check.kind:
        case "rows":
            return asked.row_count_match(rows)
        case "present":
            return asked.col_vals_not_null(name, **share)
        case "unique":
            return asked.rows_distinct([name])
        case "unique together":
            return asked.rows_distinct([name, of])
        case "between":
            return asked.col_vals_between(name, *of, na_pass=True)
        case "in":
            return asked.col_vals_in_set(name, of, **share)
        case "not in":
            return asked.col_vals_not_in_set(name, of)
        case "matches":
            return asked.col_vals_regex(name, of)
        case "length":
            return asked.col_vals_str_len(name, min_val=of[0], max_val=of[1])
        case "later":
            return asked.col_vals_gt(name, pb.col(of), na_pass=True)
        case "z":
            value = pl.col(name)
            return asked.col_vals_expr(((value - value.mean()) / value.std()).abs() < of)
    whole = table_expression(check, rows)
    return asked.specially(lambda data: bool(data.select(whole).item()))


def check(path: str, checks: list[Check]) -> int:
    data = pl.read_parquet(path)
    asked = pb.Validate(data)
    for each in checks:
        asked = add(asked, each, len(data))
    done = asked.interrogate(collect_extracts=True, get_first_n=20)
    shares = done.f_failed().values()
    return sum(share > 1 - each.least for share, each in zip(shares, checks, strict=True))


if __name__ == "__main__":
    measured(check, ("pointblank", "polars"))
