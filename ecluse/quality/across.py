"""Keys that are unique over many data files, told without reading again those that are known to be.

What is kept is one set of files whose keys are known to differ, all of them together. A file leaves it without a
question.
New ones join when no key repeats among them and none is in the others: because the ranges of a key column don't
meet, or because no hash of a key is in the others' sorted hashes. A hash that is found proves nothing (two keys
may share it), nor does a key that repeats: then the whole is grouped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecluse.quality.shortcuts import rising
from ecluse.quality.states import States

if TYPE_CHECKING:
    from ecluse.model.tablefiles import FileRows
    from ecluse.quality.batch import Batch
    from ecluse.quality.plan import Measure, Plan
    from ecluse.quality.states import Hashes

#: Where more than this share of the rows is new, grouping the whole costs no more.
_MOSTLY_OLD = 0.25


@dataclass(frozen=True)
class Keys:
    """The SQL values that must be unique together, among the rows that ``asked`` is true of."""

    columns: tuple[str, ...]
    asked: str

    @property
    def name(self) -> str:
        """What their states are called."""
        return f"keys({', '.join(self.columns)}) where {self.asked}"

    def state(self, plan: Plan) -> Measure:
        """Of one file: how many rows are asked, and of each column its range and how many rows lack it."""
        asked = "" if self.asked == "true" else f" FILTER (WHERE {self.asked})"
        count = plan.count(self.asked)
        ranges = [
            (
                plan.aggregate(f"min({column}){asked}"),
                plan.aggregate(f"max({column}){asked}"),
                plan.count(self.asked, f"({column}) IS NULL"),
            )
            for column in self.columns
        ]
        return lambda: [count(), [[measure() for measure in column] for column in ranges]]

    def hashes(self, batch: Batch) -> Hashes:
        """The hashes of a file's keys, sorted."""
        import numpy as np

        sql = f"SELECT hash({', '.join(self.columns)}) AS h FROM {batch.relation} WHERE {self.asked}"
        parts = [part.column(0).to_numpy() for part in batch.engine.batches(sql)]
        found = np.concatenate([np.empty(0, np.uint64), *parts])
        found.sort()
        return found


class Across:
    """One question of uniqueness over all files; ``open_batch`` gives a relation of some of them."""

    def __init__(
        self, keys: Keys, parts: Sequence[FileRows], kept: States, open_batch: Callable[[Sequence[FileRows]], Batch]
    ) -> None:
        self.keys, self.parts, self.kept, self._open = keys, parts, kept, open_batch

    def unique(self, states: dict[str, Any], group: Callable[[Batch], tuple[int, int]]) -> int | None:
        """How many keys there are, if all differ and telling so is cheap; otherwise ``None``.

        ``states`` are those of ``Keys.state`` by file; ``group`` counts keys, and rows that share theirs.
        """
        filled = [part for part in self.parts if states[part.digest][0]]
        if len({part.digest for part in filled}) < len(filled):
            # The same file twice.
            return None
        total: int = sum(states[part.digest][0] for part in filled)
        known = set(self.kept.read(self._set).get("files", ()))
        new = [part for part in filled if part.digest not in known]
        if not new:
            return total
        old = [part for part in filled if part.digest in known]
        if sum(states[part.digest][0] for part in new) > _MOSTLY_OLD * total:
            return None
        if group(self._open(new))[1] or not all(self._apart(part, new, states) for part in old):
            return None
        self.remember()
        return total

    def remember(self) -> None:
        """Keep that all keys of all files differ."""
        self.kept.write(self._set, {"files": sorted({part.digest for part in self.parts})})

    def prepare(self, whole: Batch) -> None:
        """Keep the hashes of keys that don't rise from row to row: those to come will hardly lie beside them."""
        if rising(whole, self.keys.columns, self.keys.asked):
            return
        for part in self.parts:
            self._hashes(part)

    def _apart(self, part: FileRows, others: Sequence[FileRows], states: dict[str, Any]) -> bool:
        """Whether a file shares no key with the others."""
        near = [other for other in others if _meet(states[part.digest], states[other.digest])]
        if not near:
            return True
        hashes = self._hashes(part)
        return not any(_common(hashes, self._hashes(other)) for other in near)

    def _hashes(self, part: FileRows) -> Hashes:
        name = f"{part.digest}:{self.keys.name}"
        found = self.kept.read_hashes(name)
        if found is None:
            found = self.keys.hashes(self._open([part]))
            self.kept.write_hashes(name, found)
        return found

    @property
    def _set(self) -> str:
        return f"all:{self.keys.name}"


def _meet(one: list[Any], other: list[Any]) -> bool:
    """Whether two files may share a key: not where the ranges of one of its columns lie apart."""
    return all(map(_overlap, one[1], other[1]))


def _overlap(one: list[Any], other: list[Any]) -> bool:
    """Whether two files may share a value of a column, or both lack one."""
    (low, high, missing), (other_low, other_high, other_missing) = one, other
    if missing and other_missing:
        return True
    if low is None or other_low is None:
        return False
    return bool(low <= other_high and other_low <= high)


def _common(many: Hashes, few: Hashes) -> bool:
    """Whether two sorted arrays share a number."""
    import numpy as np

    if len(many) < len(few):
        many, few = few, many
    if not len(few):
        return False
    places = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return bool((many[places] == few).any())
