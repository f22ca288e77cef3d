"""Values of an expectation as SQL that compares with a column just as GX compares."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ecluse import texts
from ecluse.engine.sql import literal
from ecluse.quality import gx
from ecluse.quality.batch import Batch, CannotCompute, Kind, Unknown

_TIMES: tuple[Kind, ...] = ("date", "timestamp", "timestamptz")


def comparable(batch: Batch, column: str, value: Any) -> str:
    """``value`` as an SQL literal that compares with ``column``; ``Unknown`` where GX would refuse or coerce."""
    return for_kind(batch.kind(column), value)


def for_kind(kind: Kind, value: Any) -> str:
    """``value`` as an SQL literal that compares with a column of that kind."""
    if kind == "text" and isinstance(value, str):
        return literal(value)
    if kind == "bool" and isinstance(value, bool):
        return literal(value)
    if kind in ("integer", "float", "decimal"):
        return _number(kind, value)
    if kind in _TIMES:
        return _time(kind, value)
    raise Unknown(f"a {type(value).__name__} beside a column of kind {kind}")


def _number(kind: Kind, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Unknown(f"a {type(value).__name__} beside a number")
    if isinstance(value, float) and math.isnan(value):
        raise Unknown("NaN compares with nothing")
    # NOTE: GX turns bounds into floats; whole ones compare exactly as integers, and let file statistics prune.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63 and kind != "float":
        return str(int(value))
    return literal(value)


def _time(kind: Kind, value: Any) -> str:
    if isinstance(value, str):
        try:
            value = gx.parse_time(value)
        except (ValueError, OverflowError) as error:
            raise Unknown("a text that is no time") from error
    if not isinstance(value, date):
        raise Unknown(f"a {type(value).__name__} beside a time")
    if isinstance(value, datetime):
        # Times without a zone are UTC; so is the engine's own clock.
        if kind == "timestamp" and value.tzinfo:
            value = value.astimezone(UTC).replace(tzinfo=None)
        elif kind == "timestamptz" and not value.tzinfo:
            value = value.replace(tzinfo=UTC)
    return literal(value)


def members(batch: Batch, column: str, values: Iterable[Any]) -> list[str]:
    """The values of a set as literals, without nulls; ``Unknown`` where any of them isn't of the column's kind."""
    kind = batch.kind(column)
    found: list[str] = []
    for value in values:
        if value is None:
            continue
        if kind in _TIMES and (isinstance(value, str) or isinstance(value, datetime) != (kind != "date")):
            raise Unknown("GX compares times in sets by its own rules")
        if kind == "integer" and isinstance(value, float) and not value.is_integer():
            continue
        found.append(for_kind(kind, value))
    return found


def between(kind: Kind, sql: str, values: dict[str, Any]) -> str:
    """SQL that is true where ``sql`` lies between the bounds of ``values``, strict or not."""
    low, high = values.get("min_value"), values.get("max_value")
    if low is None and high is None:
        raise CannotCompute(texts.say("quality.bounds_absent"))
    if low is not None and high is not None and _crossed(low, high):
        raise CannotCompute(texts.say("quality.bounds_crossed", low=low, high=high))
    parts = []
    if low is not None:
        parts.append(f"{sql} {'>' if values.get('strict_min') else '>='} {for_kind(kind, low)}")
    if high is not None:
        parts.append(f"{sql} {'<' if values.get('strict_max') else '<='} {for_kind(kind, high)}")
    return " AND ".join(parts)


def _crossed(low: Any, high: Any) -> bool:
    try:
        return bool(low > high)
    except TypeError as error:
        raise Unknown("bounds that don't compare") from error
