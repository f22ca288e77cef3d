"""A table while it is measured: what each step found so far, and what it could not compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecluse.engine import Watch
from ecluse.engine.sql import quote
from ecluse.quality.batch import Batch
from ecluse.quality.plan import Plan
from ecluse.quality.profiling.found import Pair

NUMBERS = ("integer", "float", "decimal")
TIMES = ("date", "timestamp", "timestamptz")


@dataclass(eq=False)
class Draft:
    """One column while it is measured; ``found`` becomes the fields of its profile.

    ``few`` names the relation of its different values ``v`` and how often each occurs (``n``), where they are few.
    ``candidate``: no value stood twice among the rows looked at. ``heavy`` are values that stood there often.
    ``opaque``: Python objects that have no SQL type, of which nothing is known.
    """

    name: str
    type: str
    kind: str
    value: str
    classification: str | None = None
    withheld: bool = False
    opaque: bool = False
    few: str | None = None
    candidate: bool = False
    heavy: list[Any] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    uncomputed: dict[str, str] = field(default_factory=dict)

    @property
    def present(self) -> str:
        """SQL that is true where there is a value."""
        return f"({self.value}) IS NOT NULL"

    def told(self) -> bool:
        """Whether values may be told, and are of a kind that has any order."""
        return not self.withheld and self.kind in (*NUMBERS, *TIMES, "text")

    def attempt(self, what: str, measure: Callable[[], Any]) -> Any:
        """What ``measure`` gives; ``None`` where it fails, which is remembered under ``what``."""
        try:
            return measure()
        except Exception as error:  # noqa: BLE001 # whatever the engine says: this one is "could not be computed"
            self.uncomputed[what] = reason(error)
            return None

    def settle(self) -> None:
        """Moments of finite values that aren't finite themselves overflowed: nobody computed them."""
        for what in ("mean", "deviation"):
            value = self.found.get(what)
            if value is not None and not math.isfinite(value):
                self.found[what], self.uncomputed[what] = None, "Overflow"


@dataclass
class Table:
    """One table while it is measured. ``sample`` is a relation of the rows looked at first, in their order.

    ``whole``: these are all rows, and what they say is the answer. ``paths`` are its files, where it is Parquet.
    """

    name: str
    batch: Batch
    watch: Watch
    paths: Sequence[Path] = ()
    classifications: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    sample: str = ""
    looked_at: int = 0
    columns: list[Draft] = field(default_factory=list)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    likely_pairs: list[tuple[Draft, Draft]] = field(default_factory=list)
    duplicates: int | None = None
    duplicates_exact: bool = True
    uncomputed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = Plan(self.batch)

    @property
    def whole(self) -> bool:
        """Whether the rows looked at are all that there are."""
        return self.looked_at == self.rows

    def tell(self, stage: str, total: int) -> None:
        """Let whoever watches know what is done now, and in how many parts."""
        self.watch.stage, self.watch.done, self.watch.total = stage, 0, total

    def each(self, stage: str, columns: Sequence[Draft]) -> Sequence[Draft]:
        """The columns, one after the other, as whoever watches sees them."""
        self.tell(stage, len(columns))

        def watched() -> Any:
            for column in columns:
                yield column
                self.watch.done += 1

        return watched()  # type: ignore[no-any-return]

    def draft(self, name: str) -> Draft:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def drafts(batch: Batch, classifications: Mapping[str, str]) -> list[Draft]:
    """The columns of a batch, before anything is measured."""
    found = []
    for name in batch.columns:
        kind = "other" if name in batch.opaque else batch.kind(name)
        value = quote(name) if kind == "other" else batch.value(name)
        draft = Draft(name, batch.types[name], kind, value, classifications.get(name), opaque=name in batch.opaque)
        if draft.opaque:
            draft.uncomputed["values"] = "Python objects"
        found.append(draft)
    return found


def reason(error: Exception) -> str:
    """What kind of error it was; its message may quote values of the data.

    >>> reason(ValueError("Out of Range Error: Overflow in 170141183460469231731687303715884105727"))
    'Out of Range Error'
    """
    said = str(error).split(":", maxsplit=1)[0]
    return said if said.endswith("Error") and len(said) < 40 else type(error).__name__
