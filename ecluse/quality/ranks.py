"""The values at given ranks, without holding all values: a sample tells where to look, and a count proves it.

What pandas makes of such values, a median or quantiles, is told here for all ways to find them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ecluse.engine.sql import literal
from ecluse.quality.batch import Batch, Unknown
from ecluse.quality.shortcuts import large

#: How far from its share a rank is looked for: many times what a sample of a hundredth of the rows is off.
_MARGIN = 0.02
#: Finds the values at ranks from 0 in ascending order.
At = Callable[[Sequence[int]], dict[int, Any]]
#: pandas' ways to answer between two ranks, beside the default: the positions to look at for the position asked.
_POSITIONS: dict[str, Callable[[float], float]] = {
    # NOTE: halves go to the even position.
    "nearest": round,
    "lower": math.floor,
    "higher": math.ceil,
    "midpoint": lambda position: (math.floor(position) + math.ceil(position)) / 2,
    "linear": lambda position: position,
}
#: So many values at most are ordered in memory as they are: more cost no more time this way, and much less memory.
ROOM = 20_000_000


@dataclass
class _Bracket:
    """Neighbouring ranks, and the SQL bounds between which their values should lie; ``None`` is no bound."""

    ranks: list[int]
    low: str | None = None
    high: str | None = None

    @property
    def within(self) -> str:
        """SQL that is true of the values between the bounds."""
        bounds = [b for b in (self.low and f"v >= {self.low}", self.high and f"v <= {self.high}") if b]
        return " AND ".join(bounds) or "true"


def median(count: int, at: At) -> float | None:
    """The median of ``count`` values; ``None`` where there are none."""
    if not count:
        return None
    ranks = [(count - 1) // 2, count // 2]
    found = at(ranks)
    low, high = (float(found[rank]) for rank in ranks)
    return low if low == high else (low + high) / 2


def quantiles(values: dict[str, Any]) -> Callable[[int, At], list[Any]]:
    """The quantiles that a metric's ``values`` ask for, as pandas finds them; ``Unknown`` where GX refuses to.

    By default that is the value nearest to position (n - 1) · q.
    """
    place = _POSITIONS.get(values.get("allow_relative_error") or "nearest")
    if place is None:
        raise Unknown("GX refuses this")

    def found(count: int, at: At) -> list[Any]:
        if not count:
            return [None for _ in values["quantiles"]]
        # NOTE: pandas goes by per cent, which moves the last digit of some shares.
        positions = [place((count - 1) * (q * 100 / 100)) for q in values["quantiles"]]
        known = at([rank for p in positions for rank in (math.floor(p), math.ceil(p))])
        return [known[int(p)] if p == int(p) else interpolated(known, p) for p in positions]

    return found


def quartiles(count: int, at: At) -> tuple[float, float] | None:
    """The first and third quartile, interpolated; ``None`` where either isn't a finite number."""
    if not count:
        return None
    positions = [(count - 1) * share for share in (0.25, 0.75)]
    known = at([rank for p in positions for rank in (int(p), min(int(p) + 1, count - 1))])
    low, high = (interpolated(known, p) for p in positions)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def at_ranks(batch: Batch, relation: str, ranks: Sequence[int], count: int) -> dict[int, Any]:
    """The values ``v`` of ``relation`` at ranks from 0 in ascending order, among ``count`` values."""
    wanted = sorted(set(ranks))
    if large(batch) and count > ROOM:
        found = _narrowed(batch, relation, wanted, count)
        if found is not None:
            return found
    values = batch.once(f"SELECT {_picked(wanted, count)} FROM {relation}")[0][0]
    return dict(zip(wanted, values, strict=True))


def interpolated(found: dict[int, Any], position: float) -> float:
    """The value at a position between two ranks, as NumPy interpolates."""
    low = int(position)
    share = position - low
    if not share:
        return float(found[low])
    a, b = float(found[low]), float(found[low + 1])
    return a + (b - a) * share if share < 0.5 else b - (b - a) * (1 - share)


def _picked(ranks: Sequence[int], count: int) -> str:
    # A rank's middle is asked for, so that no rounding reaches the neighbour.
    return f"quantile_disc(v, [{', '.join(f'{(rank + 0.5) / count!r}' for rank in ranks)}]::DOUBLE[])"


def _narrowed(batch: Batch, relation: str, ranks: Sequence[int], count: int) -> dict[int, Any] | None:
    """The values at ranks, ordering only those near to them; ``None`` where the sample pointed beside."""
    brackets = _brackets(batch, relation, ranks, count)
    if brackets is None:
        return None
    below = [f"count_if(v < {b.low})" if b.low else "0" for b in brackets]
    inside = [f"count_if({b.within})" for b in brackets]
    counted = batch.once(f"SELECT {', '.join(below + inside)} FROM {relation}")[0]
    picks: list[str] = []
    found: dict[int, Any] = {}
    for bracket, before, size in zip(brackets, counted, counted[len(brackets) :], strict=False):
        if not before <= bracket.ranks[0] <= bracket.ranks[-1] < before + size:
            return None
        places = [rank - before for rank in bracket.ranks]
        picks.append(f"{_picked(places, size)} FILTER (WHERE {bracket.within})")
    where = " OR ".join(f"({b.within})" for b in brackets)
    picked = batch.once(f"SELECT {', '.join(picks)} FROM {relation} WHERE {where}")[0]
    for bracket, values in zip(brackets, picked, strict=True):
        found |= dict(zip(bracket.ranks, values, strict=True))
    return found


def _brackets(batch: Batch, relation: str, ranks: Sequence[int], count: int) -> list[_Bracket] | None:
    """Where a sample says that ranks lie."""
    found: list[_Bracket] = []
    for rank in ranks:
        if found and (rank - found[-1].ranks[-1]) / count < _MARGIN:
            found[-1].ranks.append(rank)
        else:
            found.append(_Bracket([rank]))
    shares = [s for b in found for s in (b.ranks[0] / count - _MARGIN, b.ranks[-1] / count + _MARGIN)]
    listed = ", ".join(repr(min(max(share, 0.0), 1.0)) for share in shares)
    sample = f"SELECT v FROM {relation} USING SAMPLE 1% (bernoulli, 1)"
    values = batch.once(f"SELECT quantile_disc(v, [{listed}]::DOUBLE[]) FROM ({sample})")[0][0]
    if values is None or any(isinstance(v, float) and not math.isfinite(v) for v in values):
        return None
    for place, bracket in enumerate(found):
        low, high = shares[2 * place : 2 * place + 2]
        bracket.low = literal(values[2 * place]) if low > 0 else None
        bracket.high = literal(values[2 * place + 1]) if high < 1 else None
    return found
