"""Verify a whole log as a stream: each entry by itself, their order, and the tree against checkpoints."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from multiprocessing import get_context

from ecluse.errors import IntegrityError, LedgerError
from ecluse.ledger.checkpoint import Checkpoint
from ecluse.ledger.envelope import is_canonical, open_written, parse_noting_floats
from ecluse.ledger.examine import Examined, examine, examine_opened
from ecluse.ledger.merkle import Frontier, leaf_hash
from ecluse.ledger.trust import Trust

#: How many entries one process verifies at a time; a log that is no longer than this starts no process.
_CHUNK = 5_000
#: How many chunks are read before the first of them must be done.
_AHEAD = 8


@dataclass(frozen=True)
class Entry:
    """One row of the log as it is stored: position from 0, leaf hash (hexadecimal), the envelope's text.

    ``kind`` and ``subjects`` are what the index says of it, or ``None`` where there is no index to verify.
    """

    position: int
    leaf: str
    envelope: str
    kind: str | None = None
    subjects: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True)
class VerifiedEntry:
    """What is left to compare of an entry that counts by itself: its place in the order, and in the tree."""

    position: int
    leaf: str
    at: datetime
    key_ids: frozenset[str]
    statement: bytes


#: The entries of a chunk up to the first that doesn't count, and what is wrong with that one.
_Chunk = tuple[list[VerifiedEntry], IntegrityError | None]


@dataclass(frozen=True)
class LogState:
    """A log that was verified: its number of facts and its root (64 hexadecimal digits)."""

    size: int
    root: str


def audit(
    entries: Iterable[Entry],
    trust: Trust,
    checkpoints: Sequence[Checkpoint] = (),
    *,
    tree: Iterable[tuple[int, int, str]] | None = None,
) -> LogState:
    """Verify ``entries``, all of a log in order, against ``trust`` and ``checkpoints``.

    ``tree`` is the stored Merkle tree, where there is one to verify: size, level and hash of each complete subtree.

    Raises ``IntegrityError`` naming the first position that isn't what was signed: a gap, an envelope that differs
    from its leaf hash or isn't canonical, a signature that is false or by a key that didn't count then or for that
    kind, a statement that stood there before. A log that is shorter than a checkpoint was truncated; one with another
    root was rewritten. Of a fact whose signer nobody knows any more, whether it is whole can't be computed: an
    ``IntegrityError`` too, which says so.
    """
    frontier, latest, agreed = Frontier(), None, 0
    stated: set[bytes] = set()
    subtrees, wrong = None if tree is None else iter(tree), None
    due = sorted(checkpoints)
    for found in verified(_without_gap(entries), trust):
        agreed = _settle(frontier, due, agreed)
        _in_order(found, trust, latest)
        # NOTE: whoever can write the database but not sign could say again what somebody has taken back since.
        if found.statement in stated:
            raise IntegrityError("ledger.replayed", position=found.position)
        stated.add(found.statement)
        latest = max(latest or found.at, found.at)
        completed = frontier.append(bytes.fromhex(found.leaf))
        if subtrees is not None and wrong is None:
            wanted = [(frontier.size, level, value.hex()) for level, value in enumerate(completed, 1)]
            wrong = None if list(islice(subtrees, len(wanted))) == wanted else found.position
    _settle(frontier, due, agreed)
    size = frontier.size
    if due:
        raise IntegrityError("ledger.truncated", position=size, size=due[-1].size, at=due[-1].at.isoformat())
    # NOTE: last, because a fact that was altered says more than the tree that no longer fits it.
    if subtrees is not None and wrong is None and next(subtrees, None) is not None:
        wrong = size
    if wrong is not None:
        raise IntegrityError("ledger.index", position=wrong, index="tree")
    return LogState(size, frontier.root().hex())


def _without_gap(entries: Iterable[Entry]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if entry.position != number:
            raise IntegrityError("ledger.gap", position=number, found=entry.position)
        yield entry


def verified(entries: Iterable[Entry], trust: Trust) -> Iterator[VerifiedEntry]:
    """Verify each entry by itself, in order; a long log by every core of the machine.

    Raises ``IntegrityError`` for the first entry that doesn't count, when it is reached.
    """
    chunks = _chunks(entries)
    first = next(chunks, ())
    yield from map(partial(_verified, trust=trust), first)
    if len(first) < _CHUNK:
        return
    # NOTE: spawned, not forked: DuckDB's and Dagster's threads don't survive a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[_Chunk]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_verify_chunk, chunk, trust))
            # NOTE: bounded, so that a log larger than memory is still read as a stream.
            if len(waiting) > _AHEAD:
                yield from _told(waiting.popleft().result())
        while waiting:
            yield from _told(waiting.popleft().result())


def _told(chunk: _Chunk) -> Iterator[VerifiedEntry]:
    found, error = chunk
    yield from found
    if error is not None:
        raise error


def _chunks(entries: Iterable[Entry]) -> Iterator[tuple[Entry, ...]]:
    source = iter(entries)
    while chunk := tuple(islice(source, _CHUNK)):
        yield chunk


def _verify_chunk(entries: tuple[Entry, ...], trust: Trust) -> _Chunk:
    found: list[VerifiedEntry] = []
    for entry in entries:
        try:
            found.append(_verified(entry, trust))
        except IntegrityError as error:
            # NOTE: what stands before it may be wrong in another way, and comes first.
            return found, error
    return found, None


def _verified(entry: Entry, trust: Trust) -> VerifiedEntry:
    examined = verify_entry(entry, trust)
    return VerifiedEntry(entry.position, entry.leaf, examined.fact.at, examined.key_ids, examined.statement)


def verify_entry(entry: Entry, trust: Trust) -> Examined:
    """The fact of one entry; ``IntegrityError`` naming its position where it doesn't count."""
    examined = read_entry(entry, trust, strict=True)
    if examined.doubt is not None:
        if examined.doubt.key == "ledger.unknown_key":
            raise IntegrityError(
                "ledger.unknown_signer", position=entry.position, key_id=examined.doubt.fields["key_id"]
            )
        why = examined.doubt.part("received")
        raise IntegrityError("ledger.entry", position=entry.position, why=why) from examined.doubt
    if entry.subjects is not None and entry.subjects != {(s.name, s.sha256) for s in examined.fact.subjects}:
        raise IntegrityError("ledger.index", position=entry.position, index="subjects")
    return examined


def read_entry(entry: Entry, trust: Trust, *, strict: bool) -> Examined:
    """The fact of one entry, with the reason for which it doesn't count; ``IntegrityError`` where it was altered.

    ``strict`` also asks that envelope and statement are canonical, which their hash and signature don't say.
    """
    if leaf_hash(entry.envelope.encode()).hex() != entry.leaf:
        raise IntegrityError("ledger.altered", position=entry.position)
    try:
        if (opened := open_written(entry.envelope)) is not None:
            canonic, examined = True, examine_opened(opened, trust, strict=strict)
        else:
            envelope, floats = parse_noting_floats(entry.envelope)
            canonic = not strict or is_canonical(envelope, entry.envelope.encode(), floats=floats)
            examined = examine(envelope, trust, strict=strict)
    except LedgerError as error:
        raise IntegrityError("ledger.entry", position=entry.position, why=error.part("received")) from error
    except ValueError as error:
        raise IntegrityError("ledger.not_canonical", position=entry.position) from error
    if not canonic:
        raise IntegrityError("ledger.not_canonical", position=entry.position)
    if entry.kind is not None and examined.fact.kind != entry.kind:
        raise IntegrityError("ledger.index", position=entry.position, index="kind")
    return examined


def _settle(tree: Frontier, due: list[Checkpoint], agreed: int) -> int:
    """Compare the checkpoints that the tree has reached; returns the size up to which log and checkpoints agree."""
    while due and due[0].size == tree.size:
        checkpoint = due.pop(0)
        if checkpoint.root != tree.root().hex():
            raise IntegrityError(
                "ledger.rewritten",
                position=agreed,
                last=max(checkpoint.size - 1, agreed),
                size=checkpoint.size,
                at=checkpoint.at.isoformat(),
            )
        agreed = checkpoint.size
    return agreed


def _in_order(entry: VerifiedEntry, trust: Trust, latest: datetime | None) -> None:
    # NOTE: whoever stole a key writes any time into a fact. The log's order is the witness: after a fact from the time
    # of the revocation or later, nothing by that key counts any more, whatever time it claims.
    for id in entry.key_ids:
        revoked = trust.revoked(id)
        if revoked is not None and latest is not None and latest >= revoked:
            raise backdated(entry.position, id, trust)


def backdated(position: int, id: str, trust: Trust) -> IntegrityError:
    """What to say of a fact by a revoked key that stands after the time of the revocation."""
    revoked = trust.revoked(id)
    assert revoked is not None
    return IntegrityError(
        "ledger.backdated", position=position, party=trust.keys[id].party, revoked=revoked.isoformat()
    )
