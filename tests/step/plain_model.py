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


class Held(NamedTuple):
    """One row in quarantine, and the delivery that brought it."""

    batch: object
    row: Row


Holds = Mapping[str | None, tuple[Held, ...]]


@dataclass(frozen=True)
class Version:
    """All that is published of a dataset at one moment. Nothing here is ever altered, so that a version can be kept.

    ``parts`` holds rows by partition, ``held`` those in quarantine. ``batches`` names what was appended.
    """

    fields: tuple[Field, ...] = ()
    parts: Mapping[str | None, tuple[Row, ...]] = field(default_factory=dict)
    held: Holds = field(default_factory=dict)
    batches: tuple[object, ...] = ()

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as a reader sees them, in the order of their values."""
        return sorted((self.shown(row) for rows in self.parts.values() for row in rows), key=repr)

    @property
    def quarantine(self) -> list[tuple[Any, ...]]:
        """The rows in quarantine."""
        return sorted((self.shown(held.row) for some in self.held.values() for held in some), key=repr)

    def shown(self, row: Row) -> tuple[Any, ...]:
        """The values of a row, in the order of the columns."""
        return tuple(row.get(f.number) for f in self.fields)


@dataclass(frozen=True)
class Delivery:
    """Rows that a step is given under a contract. ``name`` stands for the same rows under the same contract.

    A ``lenient`` one is published later, under a contract that quarantines all but the last row.
    """

    rows: tuple[Given, ...]
    promised: tuple[Promised, ...]
    partition: str | None
    quarantines: bool
    lenient: bool = False

    @property
    def name(self) -> object:
        promised = tuple(replace(p, was=()) for p in self.promised)
        return (self.rows, promised, self.partition, self.quarantines, self.lenient)

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
        if self.lenient:
            return bool(self.bad) and not self.good
        return bool(self.bad) and (not self.quarantines or len(self.bad) * 2 > len(self.computed))


def published(mode: str, before: Version, delivery: Delivery, numbers: Iterator[int]) -> Version | None:
    """The version after a delivery; ``None`` where a promise is broken and everything stays as it was."""
    if delivery.refused:
        return None
    if mode == "append" and delivery.name in before.batches:
        return before
    before, columns = _under(before, delivery.promised, numbers)
    rows = [_row(row, columns) for row in delivery.good]
    return _unless_a_key_repeats(mode, MODES[mode](before, delivery, rows, columns), columns)


def overwritten(mode: str, delivery: Delivery, before: Version, after: Version) -> bool:
    """Whether a partition that a delivery would replace holds other rows than before, under the same columns."""
    places = {delivery.partition} if mode == "replace" else {None, *(f"p{row.at}" for row in delivery.computed)}
    if mode not in ("replace", "partition") or before.fields != after.fields:
        return False
    if delivery.partition is None and mode == "replace":
        return before.rows != after.rows
    return any(_shown(before, place) != _shown(after, place) for place in places)


def _shown(version: Version, place: str | None) -> list[tuple[Any, ...]]:
    return sorted((version.shown(row) for row in version.parts.get(place, ())), key=repr)


def left(
    mode: str,
    before: Version,
    gone: Sequence[tuple[str | None, Held]],
    back: Sequence[tuple[str | None, Row]],
    promised: Sequence[Promised],
    numbers: Iterator[int],
) -> Version | None:
    """The version after rows left quarantine, and came ``back`` into the places of those that are ``gone``.

    ``None`` where a key would repeat. Nothing that is published changes where nothing comes back.
    """
    held = {place: list(some) for place, some in before.held.items()}
    for place, one in gone:
        held[place].remove(one)
    before = replace(before, held={place: tuple(some) for place, some in held.items()})
    if not back:
        return before
    before, columns = _under(before, promised, numbers)
    rows = [row for _, row in back]
    parts = before.parts
    if mode == "merge":
        parts = _upserted(parts, rows, columns)
    elif mode == "history":
        parts = _with_versions(parts, rows, columns)
    else:
        for place, row in back:
            parts = {**parts, place: (*parts.get(place, ()), row)}
    return _unless_a_key_repeats(mode, replace(before, parts=parts), columns)


def _unless_a_key_repeats(mode: str, after: Version, columns: Filled) -> Version | None:
    (id,) = _numbers(columns, "id")
    keyed = mode in ("replace", "partition")
    return None if keyed and _repeats(row[id] for some in after.parts.values() for row in some) else after


def _under(before: Version, promised: Sequence[Promised], numbers: Iterator[int]) -> tuple[Version, Filled]:
    """A version under the columns of a contract, and what fills each of them."""
    fields = tuple(_evolved(before.fields, promised, numbers))

    def shown(row: Row) -> Row:
        return {f.number: row.get(f.number) for f in fields}

    parts = {name: tuple(shown(row) for row in some) for name, some in before.parts.items()}
    held = {name: tuple(Held(one.batch, shown(one.row)) for one in some) for name, some in before.held.items()}
    columns = [(f.number, p.source) for f, p in zip(fields, promised, strict=True)]
    return Version(fields, parts, held, before.batches), columns


def _row(row: Given, columns: Filled) -> Row:
    return {number: getattr(row, source) for number, source in columns}


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


def _held(delivery: Delivery, rows: Iterable[Given], columns: Filled) -> tuple[Held, ...]:
    return tuple(Held(delivery.name, _row(row, columns)) for row in rows)


def _replace(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    part, kept = delivery.partition, delivery.partition is not None
    parts, held = (before.parts, before.held) if kept else ({}, {})
    return replace(
        before,
        parts={**parts, part: tuple(rows)},
        held={**held, part: _held(delivery, delivery.bad, columns)},
    )


def _append(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    part = delivery.partition
    return replace(
        before,
        parts={**before.parts, part: (*before.parts.get(part, ()), *rows)},
        **_added(before, delivery, columns),
    )


def _added(before: Version, delivery: Delivery, columns: Filled) -> dict[str, Any]:
    """The quarantine with the rows of a delivery, which are there once however often it is given."""
    part, name = delivery.partition, delivery.name
    others = tuple(one for one in before.held.get(part, ()) if one.batch != name)
    held = {**before.held, part: (*others, *_held(delivery, delivery.bad, columns))}
    return {"held": held, "batches": (*(batch for batch in before.batches if batch != name), name)}


def _merge(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    return replace(before, parts=_upserted(before.parts, rows, columns), **_added(before, delivery, columns))


def _upserted(parts: Mapping[str | None, tuple[Row, ...]], rows: Sequence[Row], columns: Filled) -> dict[None, Any]:
    """The newest row of each id."""
    (id,) = _numbers(columns, "id")
    order = [*_numbers(columns, "at"), *_others(columns, "id", "at")]
    best: dict[int, Row] = {}
    for row in (*parts.get(None, ()), *rows):
        if row[id] not in best or _rank(row, order) > _rank(best[row[id]], order):
            best[row[id]] = row
    return {None: tuple(best.values())}


def _rank(row: Row, order: Iterable[int]) -> list[tuple[bool, Any]]:
    """What decides between two rows: value by value, and null is less than any."""
    return [(row[number] is not None, row[number] if row[number] is not None else 0) for number in order]


def _partition(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    parts, held = dict(before.parts), dict(before.held)
    (time,) = _numbers(columns, "at")
    for at in {row.at for row in delivery.good}:
        parts[f"p{at}"] = tuple(row for row in rows if row[time] == at)
    for at in {row.at for row in delivery.computed}:
        held[f"p{at}"] = _held(delivery, (row for row in delivery.bad if row.at == at), columns)
    return replace(before, parts=parts, held=held)


def _history(before: Version, delivery: Delivery, rows: list[Row], columns: Filled) -> Version:
    return replace(before, parts=_with_versions(before.parts, rows, columns), **_added(before, delivery, columns))


def _with_versions(
    parts: Mapping[str | None, tuple[Row, ...]], rows: Sequence[Row], columns: Filled
) -> dict[None, tuple[Row, ...]]:
    """The versions of each id: what was observed at each time, but for what only repeats the time before."""
    own = ("id", "at", "until", "current", "name")
    id, since, until, current, name = _numbers(columns, *own)
    rest = _others(columns, *own)
    there = parts.get(None, ())
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
    return {None: tuple(kept)}


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
