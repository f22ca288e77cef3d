"""The entries of a log, each verified by itself; those of a long log by every core of the machine."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from itertools import chain, islice
from multiprocessing import get_context

from ecluse.errors import IntegrityError
from ecluse.ledger.entry import Entry, open_entry, without_doubt
from ecluse.ledger.envelope import Opened
from ecluse.ledger.examine import signers, statement_digest
from ecluse.ledger.pages import Page, Row
from ecluse.ledger.trust import Trust
from ecluse.model.facts import Fact

#: A log of fewer pages starts no process, which would take as long as to verify them.
_FEW = 5
#: How many pages are read before the first of them must be done.
_AHEAD = 8
#: How many entries are read before the first of their signatures is verified.
_TOGETHER = 20


#: What is left to compare of an entry that counts by itself: its time, the revoked keys in it, its statement's digest.
Verified = tuple[datetime, frozenset[str], bytes]
_Read = tuple[int, Opened, Fact]
#: The entries of a page up to the first that doesn't count, and what is wrong with that one.
Told = tuple[list[Verified], IntegrityError | None]


def verified(pages: Iterable[Page], trust: Trust) -> Generator[tuple[Page, Told]]:
    """Each page with what is told of it, in order."""
    source = iter(pages)
    begun = list(islice(source, _FEW))
    if len(begun) < _FEW:
        yield from ((page, verify_page(page, trust)) for page in begun)
        return
    # NOTE: spawned, not forked: DuckDB's and Dagster's threads don't survive a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_leave_ctrl_c) as pool:
        waiting: deque[tuple[Page, Future[Told]]] = deque()
        for page in chain(begun, source):
            waiting.append((page, pool.submit(verify_page, page, trust)))
            # NOTE: bounded, so that a log larger than memory is still read as a stream.
            if len(waiting) > _AHEAD:
                done, told = waiting.popleft()
                yield done, told.result()
        for done, told in waiting:
            yield done, told.result()


def _leave_ctrl_c() -> None:
    """A terminal's Ctrl-C reaches every process of a command; the first of them ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def verify_page(page: Page, trust: Trust) -> Told:
    """Each entry of a page by itself, and the index over their subjects."""
    revoked = frozenset(id for id in trust.keys if trust.revoked(id))
    told: list[Verified] = []
    about: list[tuple[int, str, str]] = []
    error: IntegrityError | None = None
    for start in range(0, len(page.entries), _TOGETHER):
        # NOTE: first all are read, then all are verified: in turns, neither finds what it needs in the processor's
        # caches, and both together take a tenth longer.
        read, error = _read(page.entries[start : start + _TOGETHER], page.first + start)
        for position, opened, fact in read:
            try:
                without_doubt(position, opened, fact, trust)
            except IntegrityError as raised:
                error = raised
                break
            told.append((fact.at, signers(opened) & revoked, statement_digest(opened)))
            about += sorted({(position, subject.name, subject.sha256) for subject in fact.subjects})
        # NOTE: what stands before an error may be wrong in another way, and comes first.
        if error is not None:
            break
    if page.subjects is not None and about != page.subjects:
        end = page.first + len(told)
        wrong = [row[0] for row in set(about).symmetric_difference(page.subjects) if error is None or row[0] < end]
        if wrong:
            position = max(min(wrong), page.first)
            return told[: position - page.first], IntegrityError("ledger.index", position=position, index="subjects")
    return told, error


def _read(entries: Sequence[Row], first: int) -> tuple[list[_Read], IntegrityError | None]:
    """The entries up to the first that isn't what was appended, and what is wrong with that one."""
    found: list[_Read] = []
    for number, row in enumerate(entries, first):
        try:
            found.append(_one(number, row))
        except IntegrityError as error:
            return found, error
    return found, None


def _one(number: int, row: Row) -> _Read:
    if row[0] != number:
        raise IntegrityError("ledger.gap", position=number, found=row[0])
    return number, *open_entry(Entry(*row))
