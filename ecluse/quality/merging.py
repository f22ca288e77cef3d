"""How measures of data files become the measure of all of them: for each metric its state of one file, and the sum.

A state is what JSON can hold. Whole numbers add up exactly, floats to the accuracy of one float; the moments are those
of Chan, Golub and LeVeque. What hangs on the order of a column's values is told by ``positions``. What hangs on the row
before, and a user's own SQL, has no state, and is measured over the whole again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ecluse.quality import distribution, measures
from ecluse.quality.positions import Moments
from ecluse.quality.predicates import QUESTIONS
from ecluse.quality.shortcuts import FEW, many
from ecluse.quality.states import NoState
from ecluse.quality.values import Values

if TYPE_CHECKING:
    from ecluse.quality.plan import Measure

#: Whether a row keeps these depends on other rows.
_ABOUT_OTHERS = (
    "column_values.unique",
    "compound_columns.unique",
    "column_values.increasing",
    "column_values.decreasing",
    "column_values.z_score.under_threshold",
    "column_values.not_outliers",
)
#: What is asked of each row by itself: how many rows break it adds up.
BY_ROW = tuple(name for name in QUESTIONS if name not in _ABOUT_OTHERS)
#: The engine's widest whole number, and the digits of its widest decimal: beyond them a sum is an error.
_WIDEST, _DIGITS = 2**127 - 1, 38


@dataclass(frozen=True)
class Merge:
    """``state`` plans what is measured of one file, ``merged`` makes the value from the states of all files.

    Metrics of one ``name`` share their states, where the values that they are asked with are the same but for
    ``apart_from``.
    """

    name: str
    state: Callable[[Values, dict[str, Any]], Measure]
    merged: Callable[[list[Any], Values, dict[str, Any]], Any]
    apart_from: tuple[str, ...] = ()


def _over(*expressions: str) -> Callable[[Values, dict[str, Any]], Measure]:
    """Aggregates of a column's values ``{v}``, as a list where they are several."""

    def state(column: Values, _: dict[str, Any]) -> Measure:
        asked = [column.over(e.format(v=column.sql)) for e in expressions]
        return asked[0] if len(asked) == 1 else lambda: [measure() for measure in asked]

    return state


def _moments(column: Values, values: dict[str, Any]) -> Measure:
    mean = "favg({v})" if column.kind == "float" else "avg({v})"
    return _over("count(*)", mean, "var_pop({v})")(column, values)


def _sums(column: Values, values: dict[str, Any]) -> Measure:
    return _over("count(*)", "fsum({v})" if column.kind == "float" else "sum({v})")(column, values)


def _shares(column: Values, _: dict[str, Any]) -> Measure:
    present, asked = column.over("count(*)"), column.plan.count(column.condition)
    return lambda: [present(), asked()]


def frequencies(column: Values, _: dict[str, Any]) -> Measure:
    """The different values and how often each occurs; ``None`` where they are many."""

    def value() -> list[list[Any]] | None:
        if many(column.batch, "v", f"SELECT v FROM {column.source}"):
            return None
        found = column.plan.rows(f"SELECT v, n FROM {column.counted} LIMIT {FEW + 1}")
        return None if len(found) > FEW else [list(row) for row in found]

    return value


def _histogram(column: Values, values: dict[str, Any]) -> Measure:
    counts = distribution.histogram(column, values)
    return lambda: [int(count) for count in counts()]


def _outside(column: Values, values: dict[str, Any]) -> Measure:
    sql = measures.outside_set(column, values)[0]

    def value() -> list[Any] | None:
        found = column.plan.rows(f"{sql} LIMIT {FEW + 1}")
        return None if len(found) > FEW else [row[0] for row in found]

    return value


def counted(states: Sequence[Any]) -> dict[Any, int] | None:
    """How often each value occurs in all files; ``None`` where they are many."""
    found: dict[Any, int] = {}
    for state in states:
        if state is None:
            return None
        for value, count in state:
            found[value] = found.get(value, 0) + count
    return found


def _counted(states: list[Any]) -> dict[Any, int]:
    found = counted(states)
    if found is None:
        raise NoState("many values")
    return found


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[list[Any], Values, dict[str, Any]], Any]:
    def merged(states: list[Any], _column: Values, _: dict[str, Any]) -> Any:
        found = [state for state in states if state is not None]
        return choose(found) if found else None

    return merged


def _total(states: list[Any], column: Values) -> Any:
    """The sum of all values, as exact as the engine has it; ``NoState`` where it would be an error there."""
    found = [total for count, total in states if count]
    if column.kind == "float":
        if not all(map(math.isfinite, found)):
            raise NoState("infinite sums")
        return math.fsum(found)
    if column.kind == "integer":
        whole = sum(map(int, found))
        if abs(whole) > _WIDEST:
            raise NoState("a sum beyond the widest number")
        return whole
    exact = sum((Fraction(total) for total in found), Fraction())
    if found and abs(exact) >= Fraction(10) ** (_DIGITS + int(found[0].as_tuple().exponent)):
        raise NoState("a sum beyond the widest decimal")
    return exact


def _sum(states: list[Any], column: Values, _: dict[str, Any]) -> Any:
    if not any(count for count, _ in states):
        return 0
    total = _total(states, column)
    return float(total) if column.kind == "decimal" else total


def _mean(states: list[Any], column: Values, _: dict[str, Any]) -> float | None:
    count = sum(n for n, _ in states)
    return float(_total(states, column) / count) if count else None


def moments(states: Sequence[Any]) -> Moments:
    """Count, mean and sample deviation of all values, from those of each file."""
    count, mean, squares = 0, 0.0, 0.0
    for n, m, spread in states:
        if n:
            if not (math.isfinite(m) and math.isfinite(spread)):
                raise NoState("infinite moments")
            away = m - mean
            squares += spread * n + away * away * (count * n / (count + n))
            mean += away * (n / (count + n))
            count += n
    return Moments(count, mean, math.sqrt(squares / (count - 1)) if count > 1 else None)


def _deviation(states: list[Any], _column: Values, _: dict[str, Any]) -> float | None:
    return moments(states).deviation


def _most_common(states: list[Any], _column: Values, _: dict[str, Any]) -> list[Any]:
    found = _counted(states)
    most = max(found.values(), default=0)
    return sorted(value for value, n in found.items() if n == most)


def _value_counts(states: list[Any], column: Values, _: dict[str, Any]) -> Any:
    return distribution.series(column.kind, sorted(_counted(states).items()))


def _bins(states: list[Any], _column: Values, _: dict[str, Any]) -> list[Any]:
    import numpy as np

    return [np.int64(sum(counts)) for counts in zip(*states, strict=True)]


def _outside_values(states: list[Any], _column: Values, values: dict[str, Any]) -> list[Any]:
    if any(state is None for state in states):
        raise NoState("many values")
    found = sorted({value for state in states for value in state})
    return found if values.get("limit") is None else found[: int(values["limit"])]


def _outside_count(states: list[Any], column: Values, _: dict[str, Any]) -> int:
    return len(_outside_values(states, column, {}))


def _absent_values(states: list[Any], _column: Values, values: dict[str, Any]) -> list[Any]:
    rest = [[repr(value) for value in state] for state in states[1:]]
    found = [value for value in states[0] if all(repr(value) in other for other in rest)]
    return found[: values.get("limit")]


def _absent_count(states: list[Any], column: Values, _: dict[str, Any]) -> int:
    return len(_absent_values(states, column, {}))


def _numpy_count(states: list[Any], _column: Values, _: dict[str, Any]) -> Any:
    import numpy as np

    return np.int64(sum(states))


def _plain_count(states: list[Any], _column: Values, _: dict[str, Any]) -> int:
    return sum(states)


def _present_share(states: list[Any], _column: Values, _: dict[str, Any]) -> float:
    asked = sum(state[1] for state in states)
    return sum(state[0] for state in states) / asked if asked else 0


#: Metrics of one column that have a state, by GX's name for them.
MERGES: dict[str, Merge] = {
    "column.min": Merge("min", _over("min({v})"), _extreme(min)),
    "column.max": Merge("max", _over("max({v})"), _extreme(max)),
    "column.sum": Merge("sum", _sums, _sum),
    "column.mean": Merge("sum", _sums, _mean),
    "column.standard_deviation": Merge("moments", _moments, _deviation),
    "column.value_counts": Merge("frequencies", frequencies, _value_counts, ("sort", "collate")),
    "column.most_common_value": Merge("frequencies", frequencies, _most_common, ("ties_okay",)),
    "column.histogram": Merge("histogram", _histogram, _bins),
    "column.non_null_proportion": Merge("shares", _shares, _present_share),
    "column_values.nonnull.count": Merge("count", _over("count(*)"), _numpy_count),
    "column_values.between.count": Merge("between", distribution.between_count, _plain_count),
    "column.distinct_values.not_in_set.count": Merge("outside", _outside, _outside_count, ("limit",)),
    "column.distinct_values.not_in_set": Merge("outside", _outside, _outside_values, ("limit",)),
    "column.distinct_values.missing_from_column.count": Merge(
        "absent", measures.absent_from_column, _absent_count, ("limit",)
    ),
    "column.distinct_values.missing_from_column": Merge(
        "absent", measures.absent_from_column, _absent_values, ("limit",)
    ),
}
