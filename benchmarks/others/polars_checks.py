"""The checks as Polars expressions, for tools on Polars that have no check of their own for one."""

from __future__ import annotations

import polars as pl

from benchmarks.order_checks import Check


def row_expression(check: Check) -> pl.Expr:
    """True of the rows that keep a check about rows; null is left to each tool."""
    value, of = pl.col(check.column), check.given
    match check.kind:
        case "present":
            return value.is_not_null()
        case "between":
            return value.is_between(*of)
        case "in":
            return value.is_in(of)
        case "not in":
            return ~value.is_in(of)
        case "matches":
            return value.str.contains(of)
        case "length":
            return value.str.len_chars().is_between(*of)
        case "later":
            return value > pl.col(of)
        case "unique":
            return value.is_unique()
        case "unique together":
            return pl.struct(check.column, of).is_unique()
        case "z":
            return ((value - value.mean()) / value.std()).abs() < of
    raise KeyError(check.kind)


def table_expression(check: Check, rows: int) -> pl.Expr:
    """True where the table keeps a check about all rows, or about a share of them."""
    value, of = pl.col(check.column), check.given
    match check.kind:
        case "rows":
            return pl.len() == rows
        case "mean":
            return value.mean().is_between(*of)
        case "median":
            return value.median().is_between(*of)
        case "deviation":
            return value.std().is_between(*of)
        case "min":
            return value.min().is_between(*of)
        case "max":
            return value.max().is_between(*of)
        case "sum":
            return value.cast(pl.Int64).sum().is_between(*of)
        case "different":
            return value.n_unique() == of
    return row_expression(check).mean() >= check.least


def about_rows(check: Check) -> bool:
    """Whether each row is asked by itself, and all must keep it."""
    kinds = ("present", "between", "in", "not in", "matches", "length", "later", "z", "unique", "unique together")
    return check.kind in kinds and check.least == 1
