"""The log as it is stored, page by page, with what its indexes say of each page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from sqlalchemy import Column, Connection, func, select
from sqlalchemy.exc import DBAPIError

from ecluse.ledger.entry import Entry, Row
from ecluse.store import Database
from ecluse.store.schema import facts, subjects, subtrees

#: How many entries are read and verified at a time.
_SIZE = 2_000

_ENTRIES = (facts.c.position, facts.c.leaf, facts.c.envelope, facts.c.kind)
_SUBJECTS = (subjects.c.position, subjects.c.name, subjects.c.sha256)
_SUBTREES = (subtrees.c.size, subtrees.c.level, subtrees.c.hash)


@dataclass(frozen=True)
class Rows:
    """Entries that follow each other in the log, and what the index over their subjects says.

    ``first`` is how many stand before them. ``subjects`` (position, name, SHA-256) is sorted, and ``None`` where there
    is no index to verify.
    """

    first: int
    entries: Sequence[Row]
    subjects: Sequence[tuple[int, str, str]] | None = None

    def read(self) -> Rows:
        """The rows, which are there."""
        return self


@dataclass(frozen=True)
class Stored:
    """The rows from one position to before another, which whoever verifies them reads from the database."""

    url: str
    first: int
    end: int

    def read(self) -> Rows:
        """The rows, by a connection that ends with them."""
        with closing(Database(self.url, read_only=True)) as database:
            return self.read_from(database)

    def read_from(self, database: Database) -> Rows:
        """The rows, from the database as somebody else keeps it open."""
        after, to = _before(self.first), self.end - 1
        with database.reading() as connection:
            entries = _rows(connection, _within(_ENTRIES, after, to).order_by(facts.c.position))
            return Rows(self.first, entries, _about(connection, after, to))


@dataclass(frozen=True)
class Page:
    """Rows of the log, and which subtrees are stored that one of them completes: their size, level and hash, sorted.

    ``tree`` is ``None`` where there is none to verify.
    """

    rows: Rows | Stored
    tree: Sequence[tuple[int, int, str]] | None = None


def stored_pages(connection: Connection) -> Iterator[Page]:
    """The log of a database. What the indexes hold beyond it stands in a last page without entries."""
    first, last = 0, None
    while True:
        found = _found(connection, last)
        end = found[-1][0] if found else None
        yield Page(Rows(first, found, _about(connection, last, end)), _tree(connection, last, end))
        if end is None:
            return
        first, last = first + len(found), end


def shared_pages(connection: Connection, url: str) -> Iterator[Page]:
    """The same for several processes, which read their rows by themselves; where the log has a gap, rows that are read.

    What was appended is never changed, so it doesn't matter who reads it when.
    """
    known, first, last = connection.execute(
        select(func.count(), func.min(facts.c.position), func.max(facts.c.position))
    ).one()
    if not known or (first, last) != (0, known - 1):
        yield from stored_pages(connection)
        return
    for start in range(0, known, _SIZE):
        end = min(start + _SIZE, known)
        yield Page(Stored(url, start, end), _tree(connection, _before(start), end - 1))
    yield Page(Rows(known, [], _about(connection, last, None)), _tree(connection, last, None))


def pages_of(entries: Iterable[Entry]) -> Iterator[Page]:
    """Entries from elsewhere, of which there is no index."""
    source = iter(entries)
    for first in count(step=_SIZE):
        found = [(e.position, e.leaf, e.envelope, e.kind) for e in islice(source, _SIZE)]
        if not found:
            return
        yield Page(Rows(first, found))


def _before(start: int) -> int | None:
    """The position behind which a page begins; the first page has whatever an index holds before the log as well."""
    return start - 1 if start else None


def _found(connection: Connection, last: int | None) -> list[Any]:
    """The next entries, wherever they stand."""
    return _rows(connection, _within(_ENTRIES, last, None).order_by(facts.c.position).limit(_SIZE))


# NOTE: both are sorted here, because each database has its own idea of the order of texts.
def _about(connection: Connection, after: int | None, to: int | None) -> list[tuple[int, str, str]]:
    return sorted(_rows(connection, _within(_SUBJECTS, after, to)))


def _tree(connection: Connection, after: int | None, to: int | None) -> list[tuple[int, int, str]]:
    return sorted(_rows(connection, _within(_SUBTREES, after, to, shift=1)))


def _within(columns: Sequence[Column[Any]], after: int | None, to: int | None, shift: int = 0) -> Any:
    """The rows of a table from behind one position up to another; without a position, all on that side."""
    found = select(*columns)
    if after is not None:
        found = found.where(columns[0] > after + shift)
    return found if to is None else found.where(columns[0] <= to + shift)


def _rows(connection: Connection, wanted: Any) -> list[Any]:
    # NOTE: the driver's own rows are the same plain tuples, at half of the time; there are four for each fact.
    cursor = connection.execute(wanted).cursor
    assert cursor is not None
    try:
        return [*cursor.fetchall()]
    except connection.dialect.loaded_dbapi.Error as error:
        # NOTE: the driver's own errors too, for example of a damaged file, which SQLAlchemy would have caught.
        raise DBAPIError(str(wanted), None, error) from error
