"""The log as it is stored, page by page, with what its indexes say of each page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from sqlalchemy import Column, Connection, select

from ecluse.ledger.entry import Entry
from ecluse.store.schema import facts, subjects, subtrees

#: How many entries are read, handed to another process and verified at a time.
_SIZE = 2_000

_SUBJECTS = (subjects.c.position, subjects.c.name, subjects.c.sha256)
_SUBTREES = (subtrees.c.size, subtrees.c.level, subtrees.c.hash)


#: An entry as a plain tuple: they are many, and cross from process to process.
Row = tuple[int, str, str, str | None]


@dataclass(frozen=True)
class Page:
    """Entries that follow each other in the log, and what the indexes say of them.

    ``first`` is how many stand before them. ``subjects`` (position, name, SHA-256) and ``tree`` (size, level and hash
    of each subtree that one of them completes) are sorted, and ``None`` where there is no index to verify.
    """

    first: int
    entries: Sequence[Row]
    subjects: Sequence[tuple[int, str, str]] | None = None
    tree: Sequence[tuple[int, int, str]] | None = None


def stored_pages(connection: Connection) -> Iterator[Page]:
    """The log of a database. What the indexes hold beyond it stands in a last page without entries."""
    entries = select(facts.c.position, facts.c.leaf, facts.c.envelope, facts.c.kind).order_by(facts.c.position)
    first, last = 0, None
    while True:
        after = entries if last is None else entries.where(facts.c.position > last)
        found = _rows(connection, after.limit(_SIZE))
        end = found[-1][0] if found else None
        # NOTE: sorted here, because each database has its own idea of the order of texts.
        about = sorted(_rows(connection, _within(_SUBJECTS, last, end)))
        tree = sorted(_rows(connection, _within(_SUBTREES, last, end, shift=1)))
        yield Page(first, found, about, tree)
        if end is None:
            return
        first, last = first + len(found), end


def pages_of(entries: Iterable[Entry]) -> Iterator[Page]:
    """Entries from elsewhere, of which there is no index."""
    source = iter(entries)
    for first in count(step=_SIZE):
        found = [(e.position, e.leaf, e.envelope, e.kind) for e in islice(source, _SIZE)]
        if not found:
            return
        yield Page(first, found)


def _within(columns: Sequence[Column[Any]], after: int | None, to: int | None, shift: int = 0) -> Any:
    """The rows of an index from behind one position up to another; without a position, all on that side."""
    found = select(*columns)
    if after is not None:
        found = found.where(columns[0] > after + shift)
    return found if to is None else found.where(columns[0] <= to + shift)


def _rows(connection: Connection, wanted: Any) -> list[Any]:
    # NOTE: the driver's own rows are the same plain tuples, at half of the time; there are four for each fact.
    cursor = connection.execute(wanted).cursor
    assert cursor is not None
    return [*cursor.fetchall()]
