"""The entries of a log, each verified by itself: in this process, or those of a long log by every core."""

from __future__ import annotations

import gc
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
from ecluse.model.facts import Fact, SignedFact

#: A log of fewer pages starts no process, which would take as long as to verify them.
_FEW = 5
#: How many pages are read before the first of them must be done.
_AHEAD = 8
#: How many entries are read before the first of their signatures is verified.
_TOGETHER = 20


#: What is left to compare of an entry that counts by itself: its time, the revoked keys in it, its statement's digest.
Verified = tuple[datetime, frozenset[str], bytes]
_Read = tuple[int, Opened, Fact]
#: The entries of a page up to the first that doesn't count, what is wrong with that one, and the facts before it.
Told = tuple[list[Verified], IntegrityError | None, list[SignedFact]]


def verified(pages: Iterable[Page], trust: Trust, vouched: int = 0) -> Generator[tuple[Page, Told]]:
    """Each page with what is told of it, in order; of the first ``vouched`` entries no signature is verified."""
    yield from ((page, verify_page(page, trust, vouched)) for page in pages)


def verified_by_every_core(pages: Iterable[Page], trust: Trust, vouched: int = 0) -> Generator[tuple[Page, Told]]:
    """The same, without the facts, by processes of their own where the log is long.

    They import the caller's main module again: this is for a command, not for a library's function.
    """
    source = iter(pages)
    begun = list(islice(source, _FEW))
    if len(begun) < _FEW:
        yield from verified(begun, trust, vouched)
        return
    # NOTE: spawned, not forked: DuckDB's and Dagster's threads don't survive a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_prepare) as pool:
        waiting: deque[tuple[Page, Future[Told]]] = deque()
        for page in chain(begun, source):
            waiting.append((page, pool.submit(_without_facts, page, trust, vouched)))
            # NOTE: bounded, so that a log larger than memory is still read as a stream.
            if len(waiting) > _AHEAD:
                done, told = waiting.popleft()
                yield done, told.result()
        for done, told in waiting:
            yield done, told.result()


def _prepare() -> None:
    # NOTE: a terminal's Ctrl-C reaches every process of a command; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # NOTE: as in ``audit``, which these processes work for.
    gc.disable()


def _without_facts(page: Page, trust: Trust, vouched: int) -> Told:
    told, error, _ = verify_page(page, trust, vouched)
    return told, error, []


def verify_page(page: Page, trust: Trust, vouched: int = 0) -> Told:
    """Each entry of a page by itself, and the index over their subjects."""
    revoked = frozenset(id for id in trust.keys if trust.revoked(id))
    told: list[Verified] = []
    signed: list[SignedFact] = []
    about: list[tuple[int, str, str]] = []
    error: IntegrityError | None = None
    for start in range(0, len(page.entries), _TOGETHER):
        # NOTE: first all are read, then all are verified: in turns, neither finds what it needs in the processor's
        # caches, and both together take a tenth longer.
        read, error = _read(page.entries[start : start + _TOGETHER], page.first + start)
        for position, opened, fact in read:
            try:
                without_doubt(position, opened, fact, trust, vouched=position < vouched)
            except IntegrityError as raised:
                error = raised
                break
            ids = signers(opened)
            told.append((fact.at, ids & revoked, statement_digest(opened)))
            signed.append(SignedFact(position, fact, ids))
            about += sorted({(position, subject.name, subject.sha256) for subject in fact.subjects})
        # NOTE: what stands before an error may be wrong in another way, and comes first.
        if error is not None:
            break
    if page.subjects is not None and about != page.subjects:
        end = page.first + len(told)
        wrong = [row[0] for row in set(about).symmetric_difference(page.subjects) if error is None or row[0] < end]
        if wrong:
            position = max(min(wrong), page.first)
            error = IntegrityError("ledger.index", position=position, index="subjects")
            return told[: position - page.first], error, signed
    return told, error, signed


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
