"""Bounds around what the data show: rounded outwards, with room for what comes next."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

#: What a number of that name can be, whatever the data show. The last word of a column's name decides.
KNOWN: dict[str, tuple[int, int]] = {
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "lat": (-90, 90),
    "latitude": (-90, 90),
    "lon": (-180, 180),
    "lng": (-180, 180),
    "longitude": (-180, 180),
    "percent": (0, 100),
    "percentage": (0, 100),
}
#: So much of the distance between the extremes is left free beyond them.
ROOM = 0.1


def known(name: str, low: float, high: float) -> tuple[int, int] | None:
    """What a number of that name can be, where the data keep to it."""
    found = KNOWN.get(name.lower().replace("-", "_").split("_")[-1])
    return found if found and found[0] <= low and high <= found[1] else None


def around(low: Any, high: Any, *, whole: bool) -> tuple[float | None, float | None]:
    """Bounds around numbers; ``None`` on a side that has none.

    >>> around(3, 870, whole=True), around(-31.0, 210.4, whole=False)
    ((0, 960), (-56.0, 240.0))
    """
    first, last = (float(v) for v in (low, high))
    reach = last - first
    if not math.isfinite(reach):
        return None, None
    room = ROOM * reach
    below = 0.0 if 0 <= first <= max(reach, 1) else outward(first - room, down=True)
    above = 0.0 if last <= 0 and -last <= max(reach, 1) else outward(last + room, down=False)
    if whole:
        return int(below), int(above)
    return below, above


def outward(value: float, *, down: bool) -> float:
    """``value`` with two digits that count, rounded away from the data.

    >>> outward(13057.5, down=True), outward(52230, down=False)
    (13000.0, 53000.0)
    """
    if value == 0 or not math.isfinite(value):
        return value if math.isfinite(value) else math.copysign(1.7e308, value)
    exponent = math.floor(math.log10(abs(value))) - 1
    exact = Decimal(value)
    unit = Decimal(1).scaleb(exponent)
    steps = exact / unit
    rounded = steps.to_integral_value("ROUND_FLOOR" if down else "ROUND_CEILING")
    return float(rounded * unit)


def since(earliest: Any, kind: str) -> date | None:
    """The first day of the year of the earliest time; ``None`` where it says nothing."""
    if earliest.year <= 1900:
        return None
    if kind == "date":
        return date(earliest.year, 1, 1)
    moment = datetime(earliest.year, 1, 1, tzinfo=UTC)
    return moment if kind == "timestamptz" else moment.replace(tzinfo=None)


def most_of(share: float) -> float:
    """A share that leaves room below ``share``, in whole per cent.

    >>> most_of(0.98), most_of(0.6)
    (0.97, 0.5)
    """
    return max(math.floor(share * 100 - max(1, (1 - share) * 25)), 0) / 100
