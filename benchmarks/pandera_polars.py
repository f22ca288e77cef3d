"""The checks of ``validate_speed`` on pandera and Polars, in an environment of their own: one argument, the file.

Prints what the work used as JSON. It imports nothing of Écluse. The row count and the number of countries are asked
of Polars itself, because pandera has no check for them.
"""

import json
import sys
import time
from typing import Any

import pandera.polars as pa  # type: ignore[import-not-found] # it lives in another environment
import polars as pl

COUNTRIES = ["CH", "DE", "FR", "IT", "AT", "ES", "GB", "NL", "BE", "PT"]
STATUSES = ["open", "paid", "sent", "done"]


def share(column: str, expression: pl.Expr, least: float) -> Any:
    """At least a share of the values meets an expression."""
    return pa.Check(lambda data: data.lazyframe.select(expression.mean() >= least), name=f"{column} share")


def of(column: str, expression: pl.Expr, name: str) -> Any:
    """A number of the whole column meets an expression."""
    return pa.Check(lambda data: data.lazyframe.select(expression), name=f"{column} {name}")


def schema(rows: int) -> Any:
    score = pl.col("score")
    later = pl.col("shipped_at") > pl.col("ordered_at")
    return pa.DataFrameSchema(
        {
            "id": pa.Column(pl.Int64, unique=True),
            "customer": pa.Column(pl.Int32, pa.Check.in_range(0, 3_000_000)),
            "amount": pa.Column(
                pl.Float64,
                [share("amount", pl.col("amount").is_not_null(), 0.95), pa.Check.in_range(0, 999)],
                nullable=True,
            ),
            "quantity": pa.Column(pl.Int32, pa.Check.in_range(1, 12)),
            "price": pa.Column(
                pl.Float64,
                [
                    pa.Check.in_range(5, 1005, include_max=False),
                    of("price", pl.col("price").median().is_between(400, 600), "median"),
                ],
            ),
            "day_of_year": pa.Column(pl.Int16, pa.Check.in_range(0, 365)),
            "country": pa.Column(
                pl.String,
                [pa.Check.isin(COUNTRIES), of("country", pl.col("country").n_unique() == len(COUNTRIES), "count")],
            ),
            "status": pa.Column(pl.String, share("status", pl.col("status").is_in(STATUSES), 0.7)),
            "email": pa.Column(pl.String, pa.Check.str_matches(r"^[a-z0-9.]+@[a-z0-9]+\.example$")),
            "token": pa.Column(pl.String, [pa.Check.str_matches(r"^[0-9a-f]{12}$"), pa.Check.str_length(12, 12)]),
            "ordered_at": pa.Column(pl.Datetime),
            "shipped_at": pa.Column(pl.Datetime, nullable=True),
            "discount": pa.Column(pl.Float64, of("discount", pl.col("discount").mean().is_between(0.4, 0.6), "mean")),
            "score": pa.Column(
                pl.Float64,
                pa.Check(lambda data: data.lazyframe.select(((score - score.mean()) / score.std()).abs() < 6)),
            ),
        },
        checks=[
            pa.Check(lambda data: data.lazyframe.select(later | later.is_null())),
            pa.Check(lambda data: data.lazyframe.select(pl.len() == rows)),
        ],
    )


def main(path: str) -> None:
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    cpu, wall = time.process_time(), time.monotonic()
    broken = 0
    try:
        schema(rows).validate(pl.read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as errors:
        broken = len(errors.schema_errors)
        unexpected = errors.failure_cases.height
    told = {"broken": broken, "unexpected": unexpected if broken else 0}
    print(json.dumps({"work": time.process_time() - cpu, "wall": time.monotonic() - wall, "told": told}))


if __name__ == "__main__":
    main(sys.argv[1])
