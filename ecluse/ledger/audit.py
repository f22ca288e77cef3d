"""Verify a whole log as a stream: each entry by itself, their order, and the tree against checkpoints."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from ecluse.errors import IntegrityError
from ecluse.ledger.checkpoint import Checkpoint
from ecluse.ledger.merkle import Frontier
from ecluse.ledger.pages import Page
from ecluse.ledger.trust import Trust
from ecluse.ledger.verified import verified, verified_by_every_core
from ecluse.model.facts import SignedFact

#: Is told how many facts are verified.
Passed = Callable[[int], None]


@dataclass(frozen=True)
class LogState:
    """A log that was verified: its number of facts and its root (64 hexadecimal digits)."""

    size: int
    root: str


def audit(
    pages: Iterable[Page],
    trust: Trust,
    checkpoints: Sequence[Checkpoint] = (),
    *,
    vouched: Checkpoint | None = None,
    facts: list[SignedFact] | None = None,
    passed: Passed | None = None,
    every_core: bool = False,
) -> LogState:
    """Verify ``pages``, all of a log in order, against ``trust`` and ``checkpoints``.

    ``vouched`` is a checkpoint of somebody who verified the log up to there and is believed: the facts before it are
    compared with its root, and their signatures aren't verified again. Whether their keys count is asked of all.
    ``facts`` gathers the facts. ``passed`` is told how many are verified, every now and then; what it raises ends the
    work. ``every_core`` verifies a long log in processes of their own, for a command that gathers no facts.

    Raises ``IntegrityError`` naming the first position that isn't what was signed: a gap, an envelope that differs
    from its leaf hash or isn't canonical, a signature that is false or by a key that didn't count then or for that
    kind, a statement that stood there before. A log that is shorter than a checkpoint was truncated; one with another
    root was rewritten. Of a fact whose signer nobody knows any more, whether it is whole can't be computed: an
    ``IntegrityError`` too, which says so.
    """
    frontier, agreed, keep = Frontier(), 0, facts is not None
    latest: datetime | None = None
    stated: set[bytes] = set()
    due, misfit = sorted([*checkpoints, *([vouched] if vouched else [])]), None
    before = vouched.size if vouched else 0
    way = verified_by_every_core(pages, trust, before) if every_core else verified(pages, trust, before, keep=keep)
    with _no_cycles(), closing(way):
        for page, told in way:
            completed: list[tuple[int, int, str]] = []
            for number, (leaf, statement) in enumerate(told.digests()):
                if due and due[0].size == frontier.size:
                    agreed = _settle(frontier, due, agreed)
                if number in told.suspects:
                    _not_dead(frontier.size, told.suspects[number], trust, latest)
                # NOTE: whoever could write the database but not sign could say again what somebody has taken back.
                if statement in stated:
                    raise IntegrityError("ledger.replayed", position=frontier.size)
                stated.add(statement)
                for level, value in enumerate(frontier.append(leaf), 1):
                    completed.append((frontier.size, level, value.hex()))
            if told.error is not None:
                raise told.error
            latest = _later(latest, told.newest)
            if facts is not None:
                facts += told.facts
            if misfit is None and page.tree is not None:
                misfit = _misfit(completed, page.tree, frontier.size)
            if passed is not None:
                passed(frontier.size)
    _settle(frontier, due, agreed)
    size = frontier.size
    if due:
        raise IntegrityError("ledger.truncated", position=size, size=due[-1].size, at=due[-1].at.isoformat())
    # NOTE: last, because a fact that was altered says more than the tree that no longer fits it.
    if misfit is not None:
        raise IntegrityError("ledger.index", position=misfit, index="tree")
    return LogState(size, frontier.root().hex())


@contextmanager
def _no_cycles() -> Iterator[None]:
    # NOTE: what is read refers to nothing that refers back, and to look for that takes a third of the time.
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


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


def _misfit(wanted: Sequence[tuple[int, int, str]], stored: Sequence[tuple[int, int, str]], size: int) -> int | None:
    """The position of the first leaf whose subtrees aren't stored as they are; beyond the last one, the log's size."""
    if wanted == stored:
        return None
    first = next(mine for mine, theirs in zip_longest(wanted, stored) if mine != theirs)
    return size if first is None else first[0] - 1


def _not_dead(
    position: int, suspect: tuple[frozenset[str], datetime | None], trust: Trust, latest: datetime | None
) -> None:
    # NOTE: whoever stole a key writes any time into a fact. The log's order is the witness: after a fact from the time
    # of the revocation or later, nothing by that key counts any more, whatever time it claims.
    ids, before = suspect
    seen = _later(latest, before)
    for id in sorted(ids):
        at = trust.revoked(id)
        if at is not None and seen is not None and seen >= at:
            raise backdated(position, id, trust)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def backdated(position: int, id: str, trust: Trust) -> IntegrityError:
    """What to say of a fact by a revoked key that stands after the time of the revocation."""
    revoked = trust.revoked(id)
    assert revoked is not None
    return IntegrityError(
        "ledger.backdated", position=position, party=trust.keys[id].party, revoked=revoked.isoformat()
    )
