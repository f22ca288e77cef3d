"""Verify a whole log as a stream: each entry by itself, their order, and the tree against checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ecluse.errors import IntegrityError, LedgerError
from ecluse.ledger.checkpoint import Checkpoint
from ecluse.ledger.envelope import canonical, parse
from ecluse.ledger.examine import Examined, examine
from ecluse.ledger.merkle import Frontier, leaf_hash
from ecluse.ledger.trust import Trust


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
class LogState:
    """A log that was verified: its number of facts and its root (64 hexadecimal digits)."""

    size: int
    root: str


def audit(entries: Iterable[Entry], trust: Trust, checkpoints: Sequence[Checkpoint] = ()) -> LogState:
    """Verify ``entries``, all of a log in order, against ``trust`` and ``checkpoints``.

    Raises ``IntegrityError`` naming the first position that isn't what was signed: a gap, an envelope that differs
    from its leaf hash or isn't canonical, a signature that is false or by a key that didn't count then or for that
    kind. A log that is shorter than a checkpoint was truncated; one with another root was rewritten.
    """
    tree, latest, agreed = Frontier(), None, 0
    due = sorted(checkpoints)
    for entry in entries:
        agreed = _settle(tree, due, agreed)
        if entry.position != tree.size:
            raise IntegrityError("ledger.gap", position=tree.size, found=entry.position)
        examined = verify_entry(entry, trust)
        _in_order(entry, examined, trust, latest)
        latest = max(latest or examined.fact.at, examined.fact.at)
        tree.append(bytes.fromhex(entry.leaf))
    _settle(tree, due, agreed)
    if due:
        raise IntegrityError("ledger.truncated", position=tree.size, size=due[-1].size, at=due[-1].at.isoformat())
    return LogState(tree.size, tree.root().hex())


def verify_entry(entry: Entry, trust: Trust) -> Examined:
    """The fact of one entry; ``IntegrityError`` naming its position where it doesn't count."""
    examined = read_entry(entry, trust, strict=True)
    if examined.doubt is not None:
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
        envelope = parse(entry.envelope)
        canonic = not strict or canonical(envelope) == entry.envelope.encode()
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


def _in_order(entry: Entry, examined: Examined, trust: Trust, latest: datetime | None) -> None:
    # NOTE: whoever stole a key writes any time into a fact. The log's order is the witness: after a fact from the time
    # of the revocation or later, nothing by that key counts any more, whatever time it claims.
    for id in examined.key_ids:
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
