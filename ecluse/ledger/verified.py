"""The entries of a log, each verified by itself: in this process, or those of a long log by every core."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from threading import Thread

from ecluse.errors import IntegrityError
from ecluse.ledger.entry import Row, open_entry, without_doubt
from ecluse.ledger.envelope import Opened
from ecluse.ledger.examine import STATEMENT_BYTES, signers, statement_digest
from ecluse.ledger.merkle import HASH_BYTES
from ecluse.ledger.pages import Page, Rows, Stored
from ecluse.ledger.statement import Stated
from ecluse.ledger.trust import Trust
from ecluse.model.facts import SignedFact
from ecluse.store import Database

#: A log of fewer pages starts no process, which would take as long as to verify them.
_FEW = 5
#: How many pages are handed out before the first of them must be done.
_AHEAD = 8
#: How many entries are read before the first of their signatures is verified.
_TOGETHER = 20


_Read = tuple[int, bytes, Opened, Stated]


@dataclass
class Told:
    """What is told of the entries of a page, up to the first that doesn't count by itself.

    ``leaves`` and ``statements`` have one digest for each, one behind the other. ``newest`` is the latest time that
    they state, ``suspects`` those that a revoked key signed: their number in the page, the keys, the latest time of an
    entry before them. ``error`` is what is wrong with the next one. ``facts`` are there if they were asked for.
    """

    leaves: bytes = b""
    statements: bytes = b""
    newest: datetime | None = None
    suspects: dict[int, tuple[frozenset[str], datetime | None]] = field(default_factory=dict)
    error: IntegrityError | None = None
    facts: list[SignedFact] = field(default_factory=list)

    def digests(self) -> Iterator[tuple[bytes, bytes]]:
        """The leaf hash of each entry, and the digest of its statement."""
        return zip(_parts(self.leaves, HASH_BYTES), _parts(self.statements, STATEMENT_BYTES), strict=True)


def verified(
    pages: Iterable[Page], trust: Trust, vouched: int = 0, *, keep: bool = False
) -> Generator[tuple[Page, Told]]:
    """Each page with what is told of it, in order; ``keep`` gives the facts too.

    Of the first ``vouched`` entries no signature is verified.
    """
    yield from ((page, verify_rows(page.rows.read(), trust, vouched, keep=keep)) for page in pages)


def verified_by_every_core(pages: Iterable[Page], trust: Trust, vouched: int = 0) -> Generator[tuple[Page, Told]]:
    """The same without the facts, by processes of their own where the log is long.

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
            waiting.append((page, pool.submit(_verify_apart, page.rows, trust, vouched)))
            # NOTE: bounded, so that a log larger than memory is still read as a stream.
            if len(waiting) > _AHEAD:
                done, told = waiting.popleft()
                yield done, told.result()
        for done, told in waiting:
            yield done, told.result()


def _prepare() -> None:
    # NOTE: a terminal's Ctrl-C reaches every process of a command; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # NOTE: a command that is killed ends none of them, and they would wait for it for ever, each with its connection.
    Thread(target=_end_with_the_command, daemon=True).start()
    # NOTE: as in ``audit``, which these processes work for.
    gc.disable()


def _end_with_the_command() -> None:
    if (command := parent_process()) is not None:
        command.join()
        os._exit(1)


def _verify_apart(rows: Rows | Stored, trust: Trust, vouched: int) -> Told:
    return verify_rows(rows if isinstance(rows, Rows) else rows.read_from(_reader(rows.url)), trust, vouched)


@lru_cache(maxsize=1)
def _reader(url: str) -> Database:
    # NOTE: for as long as the process works: to connect for each page takes as long as to verify fifty of its entries.
    return Database(url, read_only=True)


def verify_rows(page: Rows, trust: Trust, vouched: int = 0, *, keep: bool = False) -> Told:
    """Each entry of a page by itself, and the index over their subjects."""
    revoked = frozenset(id for id in trust.keys if trust.revoked(id))
    told = Told()
    leaves: list[bytes] = []
    statements: list[bytes] = []
    about: list[tuple[int, str, str]] = []
    for start in range(0, len(page.entries), _TOGETHER):
        # NOTE: first all are read, then all are verified: in turns, neither finds what it needs in the processor's
        # caches, and both together take a tenth longer.
        read, told.error = _read(page.entries[start : start + _TOGETHER], page.first + start)
        for position, leaf, opened, found in read:
            try:
                without_doubt(position, opened, found, trust, vouched=position < vouched)
            except IntegrityError as raised:
                told.error = raised
                break
            if revoked and (dead := signers(opened) & revoked):
                told.suspects[len(leaves)] = (dead, told.newest)
            told.newest = found.at if told.newest is None or found.at > told.newest else told.newest
            leaves.append(leaf)
            statements.append(statement_digest(opened))
            about += [(position, name, sha256) for name, sha256 in found.named]
            if keep:
                told.facts.append(SignedFact(position, found.fact, signers(opened)))
        # NOTE: what stands before an error may be wrong in another way, and comes first.
        if told.error is not None:
            break
    whole = len(leaves)
    if page.subjects is not None and about != page.subjects:
        wrong = _misfit(page, about, None if told.error is None else page.first + whole)
        if wrong is not None:
            told.error = IntegrityError("ledger.index", position=wrong, index="subjects")
            whole = wrong - page.first
    told.leaves, told.statements = b"".join(leaves[:whole]), b"".join(statements[:whole])
    return told


def _misfit(page: Rows, about: Sequence[tuple[int, str, str]], end: int | None) -> int | None:
    """The first position, before ``end``, whose subjects aren't those of the index."""
    assert page.subjects is not None
    wrong = {row[0] for row in set(about).symmetric_difference(page.subjects)}
    before = [position for position in wrong if end is None or position < end]
    return max(min(before), page.first) if before else None


def _parts(joined: bytes, size: int) -> Iterator[bytes]:
    return (joined[at : at + size] for at in range(0, len(joined), size))


def _read(entries: Sequence[Row], first: int) -> tuple[list[_Read], IntegrityError | None]:
    """The entries up to the first that isn't what was appended, and what is wrong with that one."""
    found: list[_Read] = []
    for number, row in enumerate(entries, first):
        if row[0] != number:
            return found, IntegrityError("ledger.gap", position=number, found=row[0])
        try:
            opened, stated = open_entry(row)
        except IntegrityError as error:
            return found, error
        found.append((number, bytes.fromhex(row[1]), opened, stated))
    return found, None
