"""What the order of a column's values answers: values at ranks, and how many values lie far from the others.

The conditions are those of ``spread``, asked of sorted numbers in place of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ecluse.quality import ranks
from ecluse.quality.states import NoState

if TYPE_CHECKING:
    from ecluse.quality.order import Order
    from ecluse.quality.runs import Array

#: How near to a bound a value may lie whose side is told by a merged mean and deviation, as a share of the score.
_NEAR = 1e-9


class Moments(NamedTuple):
    """How many values there are, their mean and their sample deviation."""

    number: int
    mean: float
    deviation: float | None


def median(order: Order, _: dict[str, Any]) -> Any:
    """The median; ``None`` of no values."""
    return ranks.median(order.count, order.at)


def quantiles(order: Order, values: dict[str, Any]) -> Any:
    """Quantiles as pandas finds them."""
    return ranks.quantiles(values)(order.count, order.at)


def far_by_score(order: Order, values: dict[str, Any], moments: Callable[[], Moments]) -> int:
    """How many values don't lie less than ``threshold`` sample deviations from the mean."""
    _, mean, deviation = moments()
    if not deviation:
        return 0
    threshold, both = float(values["threshold"]), values.get("double_sided", True)
    return _far(order, mean, deviation, abs(threshold) if both else threshold, both=both)


def outliers(order: Order, values: dict[str, Any], moments: Callable[[], Moments]) -> int:
    """How many values don't lie within Tukey's fences, or near enough to the mean."""
    multiplier = float(values.get("multiplier", 1.5))
    if values.get("method", "iqr") == "iqr":
        found = ranks.quartiles(order.count, order.at)
        if found is None:
            return 0
        low, high = found
        reach = multiplier * (high - low)
        below = order.leading(lambda numbers: numbers.astype(float) < low - reach)
        return order.count - max(0, order.leading(lambda numbers: numbers.astype(float) <= high + reach) - below)
    _, mean, deviation = moments()
    if deviation is None:
        return 0
    if multiplier * deviation <= 0:
        raise NoState("only values equal to the mean")
    return _far(order, mean, 1.0, multiplier * deviation, both=True)


def _far(order: Order, mean: float, unit: float, bound: float, *, both: bool) -> int:
    """How many values don't lie less than ``bound`` units from the mean; ``NoState`` where one lies on the bound."""

    def score(numbers: Array) -> Array:
        found: Array = (numbers.astype(float) - mean) / unit
        return found

    def within(edge: float) -> int:
        below = order.leading(lambda numbers: score(numbers) < edge)
        return max(0, below - order.leading(lambda numbers: score(numbers) <= -edge)) if both else below

    near = _NEAR * (abs(bound) + abs(mean) / unit)
    if not math.isfinite(near) or within(bound - near) != within(bound + near):
        raise NoState("a value on the bound")
    return order.count - within(bound)


#: Metrics of a column that its order answers; those of rows, which ask for its moments too, as counts of broken rows.
BY_ORDER: dict[str, Callable[[Order, dict[str, Any]], Any]] = {
    "column.median": median,
    "column.quantile_values": quantiles,
}
FAR: dict[str, Callable[[Order, dict[str, Any], Callable[[], Moments]], int]] = {
    "column_values.z_score.under_threshold": far_by_score,
    "column_values.not_outliers": outliers,
}
