"""What a dataset must hold after each operation, said with lists and dictionaries alone: no SQL, no files, no tables."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class Given(NamedTuple):
    """One row of a delivery. One with a negative amount breaks a promise, one named ``skip`` is filtered out."""

    id: int
    at: int
    name: str
    amount: int
    extra: int | None

    @property
    def until(self) -> None:
        """When another version took its place: not yet."""
        return None

    @property
    def current(self) -> bool:
        """Whether no other version took its place."""
        return True


@dataclass(frozen=True)
class Promised:
    """One column of a contract: ``source`` is the attribute of ``Given`` that fills it."""

    name: str
    type: str
    source: str
    was: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A column of what is published; its number stays when it is renamed or widened, and never comes back."""

    number: int
    name: str
    type: str


Row = Mapping[int, Any]
#: For each column, its number and the attribute of ``Given`` that fills it.
Filled = Sequence[tuple[int, str]]
Held = Counter[tuple[int, int]]


@dataclass(frozen=True)
class Version:
    """All that is published of a dataset at one moment. Nothing here is ever altered, so that a version can be kept.

    ``parts`` holds rows by partition, ``held`` the ids and times of quarantined rows. ``batches`` names what was appended.
    """

    fields: tuple[Field, ...] = ()
    parts: Mapping[str | None, tuple[Row, ...]] = field(default_factory=dict)
    held: Mapping[str | None, Held] = field(default_factory=dict)
    batches: tuple[object, ...] = ()

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as a reader sees them, in the order of their values."""
        found = (tuple(row.get(f.number) for f in self.fields) for rows in self.parts.values() for row in rows)
        return sorted(found, key=repr)

    @property
    def quarantine(self) -> list[tuple[int, int]]:
        """The ids and times of quarantined rows."""
        return sorted(sum(self.held.values(), Counter()).elements())


@dataclass(frozen=True)
class Delivery:
    """Rows that a step is given under a contract. ``name`` stands for the same rows under the same contract."""

    rows: tuple[Given, ...]
    promised: tuple[Promised, ...]
    partition: str | None
    quarantines: bool

    @property
    def name(self) -> object:
        return (self.rows, tuple(replace(p, was=()) for p in self.promised), self.partition, self.quarantines)

    @property
    def computed(self) -> list[Given]:
        return [row for row in self.rows if row.name != "skip"]

    @property
    def bad(self) -> list[Given]:
        return [row for row in self.computed if row.amount < 0]

    @property
    def good(self) -> list[Given]:
        return [row for row in self.computed if row.amount >= 0]

    @property
    def refused(self) -> bool:
        """Whether so many rows break the promise that nothing moves."""
        return bool(self.bad) and (not self.quarantines or len(self.bad) * 2 > len(self.computed))


def published(mode: str, before: Version, delivery: Delivery, numbers: Iterator[int]) -> Version | None:
    """The version after a delivery; ``None`` where a promise is broken and everything stays as it was."""
    if delivery.refused:
        return None
    if mode == "append" and delivery.name in before.batches:
        return before
    fields = tuple(_evolved(before.fields, delivery.promised, numbers))
    columns = [(f.number, p.source) for f, p in zip(fields, delivery.promised, strict=True)]
    rows = [{number: getattr(row, source) for number, source in columns} for row in delivery.good]
    parts = {
        name: tuple({f.number: row.get(f.number) for f in fields} for row in some)
        for name, some in before.parts.items()
    }
    after = MODES[mode](Version(fields, parts, before.held, before.batches), delivery, rows, columns)
    (id,) = _numbers(columns, "id")
    if mode in ("replace", "partition") and _repeats(row[id] for some in after.parts.values() for row in some):
        return None
    return after


def _numbers(columns: Filled, *sources: str) -> list[int]:
    return [number for wanted in sources for number, source in columns if source == wanted]


def _others(columns: Filled, *sources: str) -> list[int]:
    return [number for number, source in columns if source not in sources]


def _evolved(before: Sequence[Field], promised: Iterable[Promised], numbers: Iterator[int]) -> Iterator[Field]:
    known = {f.name: f.number for f in before}
    for column in promised:
        found = next((known[name] for name in (column.name, *column.was) if name in known), None)
        yield Field(next(numbers) if found is None else found, column.name, column.type)


def _repeats(values: Iterable[Any]) -> bool:
    return any(count > 1 for count in Counter(values).values())


def _held(rows: Iterable[Given]) -> Held:
    return Counter((row.id, row.at) for row in rows)


def _replace(before: Version, delivery: Delivery, rows: list[Row], _columns: Filled) -> Version:
    kept = delivery.partition is not None
    parts = {**(before.parts if kept else {}), delivery.partition: tuple(rows)}
    return replace(before, parts=parts, held={**(before.held if kept else {}), delivery.partition: _held(delivery.bad)})


def _append(before: Version, delivery: Delivery, rows: list[Row], _columns: Filled) -> Version:
    part = delivery.partition
    return replace(
        before,
        parts={**before.parts, part: (*before.parts.get(part, ()), *rows)},
        **_added(before, delivery),
    )


def _added(before: Version, delivery: Delivery) -> dict[str, Any]:
    """The quarantine with the rows of a delivery, which are there once however often it is given."""
    if delivery.name in before.batches:
        return {}
    part = delivery.partition
    held = {**before.held, part: before.held.get(part, Counter()) + _held(delivery.bad)}
    return {"held": held, "batches": (*before.batches, delivery.name)}


def _merge(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    (id,) = _numbers(columns, "id")
    order = [*_numbers(columns, "at"), *_others(columns, "id", "at")]
    best: dict[int, Row] = {}
    for row in (*before.parts.get(None, ()), *rows):
        if row[id] not in best or _rank(row, order) > _rank(best[row[id]], order):
            best[row[id]] = row
    return replace(before, parts={None: tuple(best.values())}, **_added(before, delivery))


def _rank(row: Row, order: Iterable[int]) -> list[tuple[bool, Any]]:
    """What decides between two rows: value by value, and null is less than any."""
    return [(row[number] is not None, row[number] if row[number] is not None else 0) for number in order]


def _partition(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    parts, held = dict(before.parts), dict(before.held)
    (time,) = _numbers(columns, "at")
    for at in {row.at for row in delivery.good}:
        parts[f"p{at}"] = tuple(row for row in rows if row[time] == at)
    for at in {row.at for row in delivery.computed}:
        held[f"p{at}"] = _held(row for row in delivery.bad if row.at == at)
    return replace(before, parts=parts, held=held)


def _history(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    """The versions of each id: what was observed at each time, but for what only repeats the time before."""
    own = ("id", "at", "until", "current", "name")
    id, since, until, current, name = _numbers(columns, *own)
    rest = _others(columns, *own)
    there = before.parts.get(None, ())
    kept = [row for row in there if row[id] not in {new[id] for new in rows}]
    for key in {new[id] for new in rows}:
        # NOTE: of what two rows say of one moment, the greater name counts, then what is published, then the rest.
        told = [(row[since], row[name], True, _rank(row, rest), row) for row in there if row[id] == key]
        told += [(row[since], row[name], False, _rank(row, rest), row) for row in rows if row[id] == key]
        moments = {since: max(some, key=lambda one: one[1:4])[4] for since, some in _by_time(told)}
        ordered = [moments[moment] for moment in sorted(moments)]
        changes = [row for last, row in itertools.pairwise([None, *ordered]) if last is None or row[name] != last[name]]
        ends = [*(row[since] for row in changes[1:]), None]
        kept += [{**row, until: end, current: end is None} for row, end in zip(changes, ends, strict=True)]
    return replace(before, parts={None: tuple(kept)}, **_added(before, delivery))


def _by_time(told: list[tuple[Any, ...]]) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    for moment in {one[0] for one in told}:
        yield moment, [one for one in told if one[0] == moment]


#: What a delivery means for what is published, by update mode.
MODES: Mapping[str, Callable[[Version, Delivery, list[Row], Filled], Version]] = {
    "replace": _replace,
    "append": _append,
    "merge": _merge,
    "partition": _partition,
    "history": _history,
}
