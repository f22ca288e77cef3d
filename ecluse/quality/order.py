"""The values of a column over all data files in ascending order, told from sorted runs that are kept per file.

How many values are below a bound, and which value is at a rank, is told exactly from a few blocks of each run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ecluse.quality.runs import RUN, Array, Run
from ecluse.quality.states import NoState

if TYPE_CHECKING:
    from ecluse.engine import Engine

_NUMBERS = {
    "FLOAT": "<f4",
    "DOUBLE": "<f8",
    **{f"{name}INT": f"<i{size}" for name, size in (("TINY", 1), ("SMALL", 2), ("BIG", 8))},
    **{f"U{name}INT": f"<u{size}" for name, size in (("TINY", 1), ("SMALL", 2), ("BIG", 8))},
    "INTEGER": "<i4",
    "UINTEGER": "<u4",
}
#: Decimals of so many digits are whole numbers of 64 bits in units of their last digit.
_DIGITS = 18


@dataclass(frozen=True)
class Form:
    """How a column's values are kept in runs: as numbers of one ``kind``, decimals in units of their last place."""

    kind: np.dtype[Any]
    scale: int | None = None

    @classmethod
    def of(cls, type_: str) -> Form:
        """The form of values of one of the engine's types; ``NoState`` where they are wider or no numbers."""
        if type_ in _NUMBERS:
            return cls(np.dtype(_NUMBERS[type_]))
        if type_.startswith("DECIMAL("):
            digits, scale = map(int, type_[len("DECIMAL(") : -1].split(","))
            if digits <= _DIGITS:
                return cls(np.dtype("<i8"), scale)
        raise NoState(f"values of type {type_}")

    def sorted_runs(self, engine: Engine, source: str) -> Iterator[Array]:
        """The values ``v`` of a relation, in sorted runs."""
        value = "v" if self.scale is None else f"(v * 1{'0' * self.scale}::DECIMAL(19, 0))::BIGINT"
        waiting: list[Array] = []
        for part in engine.batches(f"SELECT {value} AS v FROM {source}"):
            waiting.append(part.column(0).to_numpy())
            if sum(map(len, waiting)) >= RUN:
                yield self._sorted(waiting)
                waiting = []
        if waiting:
            yield self._sorted(waiting)

    def _sorted(self, waiting: list[Array]) -> Array:
        found = np.concatenate(waiting).astype(self.kind, copy=False)
        found.sort()
        return found

    def value(self, number: Any) -> Any:
        """A kept number as the engine gives it."""
        return number.item() if self.scale is None else Decimal(number.item()).scaleb(-self.scale)


class Order:
    """All values of several runs together."""

    def __init__(self, runs: Sequence[Run], form: Form) -> None:
        self.runs, self.form = runs, form
        self.count = sum(run.size for run in runs)
        self._below = cache(lambda number: self.leading(lambda numbers: numbers < number))

    def leading(self, holds: Callable[[Array], Array]) -> int:
        """How many values ``holds`` is true of; it must be true of none that is larger than one it isn't true of."""
        return sum(run.leading(holds) for run in self.runs)

    def at(self, ranks: Sequence[int]) -> dict[int, Any]:
        """The values at ranks from 0."""
        return {rank: self.form.value(self._at(rank)) for rank in sorted(set(ranks))}

    @cached_property
    def _firsts(self) -> Array:
        return np.unique(np.concatenate([run.firsts for run in self.runs]))

    def _at(self, rank: int) -> Any:
        # The last first number of a block which no more than ``rank`` numbers are below.
        start = self._firsts[bisect_right(self._firsts, rank, key=self._below) - 1]
        behind = rank - self.leading(lambda numbers: numbers <= start)
        if behind < 0:
            return start
        # Up to the next one no block begins, so that each run holds what is between them in one block.
        between = np.concatenate([run.around(start) for run in self.runs])
        return np.partition(between[between > start], behind)[behind]
