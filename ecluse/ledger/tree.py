"""The log's Merkle tree as it is stored: the root of every complete subtree, so that proofs cost a few reads.

It is derived from the leaves. A wrong row gives a proof that doesn't hold, and ``Log.verify`` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, insert, select

from ecluse.errors import IntegrityError
from ecluse.ledger.merkle import Frontier, Range, Subtree, complete_subtrees, folded
from ecluse.store.schema import facts, subtrees


def grow(connection: Connection, size: int, leaves: Sequence[bytes]) -> None:
    """Store what ``leaves``, appended to a log of ``size`` facts, complete."""
    frontier = Frontier(size, _hashes(connection, complete_subtrees((0, size))))
    rows = [
        {"size": frontier.size, "level": level, "hash": found.hex()}
        for leaf in leaves
        for level, found in enumerate(frontier.append(leaf), 1)
    ]
    if rows:
        connection.execute(insert(subtrees), rows)


def roots(connection: Connection, parts: Iterable[Range]) -> list[bytes]:
    """The root over each part of a path; ``IntegrityError`` where the stored tree lacks what it needs."""
    needed = [complete_subtrees(part) for part in parts]
    found = iter(_hashes(connection, [subtree for part in needed for subtree in part]))
    return [folded([next(found) for _ in part]) for part in needed]


def _hashes(connection: Connection, wanted: Sequence[Subtree]) -> list[bytes]:
    leaves = [size - 1 for size, level in wanted if level == 0]
    inner = [subtree for subtree in wanted if subtree[1]]
    found: dict[Subtree, str] = {}
    if leaves:
        rows = connection.execute(select(facts.c.position, facts.c.leaf).where(facts.c.position.in_(leaves)))
        found |= {(row.position + 1, 0): row.leaf for row in rows}
    if inner:
        # NOTE: by size alone: SQLite looks for pairs by reading the whole table.
        sizes = sorted({size for size, _ in inner})
        hashes = connection.execute(select(subtrees).where(subtrees.c.size.in_(sizes)))
        found |= {(row.size, row.level): row.hash for row in hashes}
    try:
        return [bytes.fromhex(found[subtree]) for subtree in wanted]
    except (KeyError, ValueError) as error:
        first = next(s for s in wanted if s not in found or len(found[s]) != 64)
        raise IntegrityError("ledger.index", position=first[0] - 1, index="tree") from error
