"""How a column's values are distributed: what GX's expectation about a distribution measures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ecluse.quality import literals
from ecluse.quality.batch import Unknown
from ecluse.quality.values import Values

if TYPE_CHECKING:
    from ecluse.quality.plan import Measure


def present_count(column: Values, _: dict[str, Any]) -> Measure:
    """How many values there are, as the NumPy integer that GX divides by also where it is zero."""
    count = column.over("count(*)")

    def value() -> Any:
        import numpy as np

        return np.int64(count())

    return value


def value_counts(column: Values, values: dict[str, Any]) -> Measure:
    """How often each value occurs, as the pandas series that GX expects, in the order of the values."""
    if column.kind not in ("integer", "float", "text") or values.get("collate"):
        raise Unknown("values that pandas counts by its own rules")
    if (values.get("sort") or "value") != "value":
        raise Unknown("another order")
    sql = f"SELECT v, n FROM {column.counted} ORDER BY v"
    return lambda: series(column.kind, column.plan.rows(sql))


def series(kind: str, counted: Iterable[tuple[Any, int]]) -> Any:
    """Values of one kind and how often each occurs, as pandas counts them."""
    import pandas as pd

    rows = list(counted)
    type_ = {"integer": "int64", "float": "float64", "text": "object"}[kind]
    index = pd.Index([row[0] for row in rows], dtype=type_, name="value")
    return pd.Series([row[1] for row in rows], index=index, name="count", dtype="int64")


def histogram(column: Values, values: dict[str, Any]) -> Measure:
    """How many values fall into each bin, counted by NumPy one part of the column after the other."""
    bins = values["bins"]
    if column.kind not in ("integer", "float"):
        raise Unknown("bins of other values than numbers")
    column.batch.note("pass", f"{len(bins) - 1} bins of {column.sql}")

    def value() -> list[Any]:
        import numpy as np

        total = np.zeros(len(bins) - 1, dtype="int64")
        for part in column.batch.engine.batches(f"SELECT v FROM {column.source}"):
            total += np.histogram(part.column(0).to_numpy(zero_copy_only=False), bins, density=False)[0]
        return list(total)

    return value


def between_count(column: Values, values: dict[str, Any]) -> Measure:
    """How many values lie beyond a bound; GX on pandas answers for one bound only."""
    if column.kind not in ("integer", "float") or None not in (values.get("min_value"), values.get("max_value")):
        raise Unknown("GX refuses this")
    return column.plan.count(column.present, literals.between("float", f"{column.sql}::DOUBLE", values))
