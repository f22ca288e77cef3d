"""Promises about how far a value lies from the others: measured first, asked of each row then."""

from __future__ import annotations

import math
from typing import Any

from ecluse.engine.sql import literal, quote
from ecluse.quality import literals
from ecluse.quality.batch import Batch, Unknown, every
from ecluse.quality.conditions import condition_sql
from ecluse.quality.ranks import at_ranks, quartiles
from ecluse.quality.shortcuts import large
from ecluse.quality.values import source


def z_score(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> str:
    """SQL that is true where a value lies less than ``threshold`` sample deviations from the mean."""
    threshold = values.get("threshold")
    literals.for_kind("float", threshold)
    moments = _moments(batch, _source(batch, domain))
    if moments is None or not moments[1]:
        return "true"
    mean, deviation = moments
    score = f"(({quote(domain['column'])}::DOUBLE - {literal(mean)}) / {literal(deviation)})"
    if values.get("double_sided", True):
        return f"abs({score}) < {literal(abs(float(threshold)))}"  # type: ignore[arg-type]
    return f"{score} < {literal(float(threshold))}"  # type: ignore[arg-type]


def not_outlier(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> str:
    """SQL that is true where a value lies within Tukey's fences, or near enough to the mean."""
    method, multiplier = values.get("method", "iqr"), float(values.get("multiplier", 1.5))
    value = f"{quote(domain['column'])}::DOUBLE"
    relation = _source(batch, domain)
    if method == "iqr":
        found = _quartiles(batch, relation)
        if found is None:
            return "true"
        low, high = found
        reach = multiplier * (high - low)
        return f"{value} >= {literal(low - reach)} AND {value} <= {literal(high + reach)}"
    if method != "std":
        raise Unknown("GX refuses this")
    moments = _moments(batch, relation)
    if moments is None:
        return "true"
    mean, deviation = moments
    if multiplier * deviation <= 0:
        return f"{value} = {literal(mean)}"
    return f"abs({value} - {literal(mean)}) < {literal(multiplier * deviation)}"


def _source(batch: Batch, domain: dict[str, Any]) -> str:
    """The column's values as ``v`` of a relation."""
    column = domain["column"]
    # Of decimals GX takes no deviation, and in single precision its sums have other last digits.
    if batch.kind(column) not in ("integer", "float") or batch.types[column] == "FLOAT":
        raise Unknown("a mean is asked of other values")
    condition = condition_sql(batch, domain.get("row_condition"), domain.get("condition_parser"))
    batch.note("first", quote(column))
    return source(batch, column, every(condition, batch.present(column)))


def _moments(batch: Batch, relation: str) -> tuple[float, float] | None:
    """Mean and sample deviation, as pandas takes them; ``None`` where either isn't a finite number."""
    if not batch.rows:
        return None
    # A mean of a few rows is near enough to that of all, so that one pass over many loses no digit to it.
    guess = batch.once(f"SELECT favg(v::DOUBLE) FROM (FROM {relation} LIMIT 10000)")[0][0] if large(batch) else None
    guess = guess if guess is not None and math.isfinite(guess) else 0.0
    count, total, squares = batch.once(f"SELECT count(*), fsum(v::DOUBLE), {_squares(guess)} FROM {relation}")[0]
    if count < 2 or not math.isfinite(total):
        return None
    mean = total / count
    away = count * (mean - guess) ** 2
    # Otherwise the mean is subtracted in a second pass, as pandas does.
    near = large(batch) and math.isfinite(squares) and away <= squares - away
    squares = squares - away if near else batch.once(f"SELECT {_squares(mean)} FROM {relation}")[0][0]
    deviation = math.sqrt(squares / (count - 1)) if math.isfinite(squares) else math.inf
    return (mean, deviation) if math.isfinite(deviation) else None


def _squares(middle: float) -> str:
    distance = f"(v::DOUBLE - {literal(middle)})"
    return f"fsum({distance} * {distance})"


def _quartiles(batch: Batch, relation: str) -> tuple[float, float] | None:
    count = batch.once(f"SELECT count(*) FROM {relation}")[0][0] if batch.rows else 0
    return quartiles(count, lambda ranks: at_ranks(batch, relation, ranks, count))
