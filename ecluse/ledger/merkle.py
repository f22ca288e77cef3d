"""The Merkle tree of RFC 6962: root, inclusion and consistency proofs, and their verifiers, over stored leaf hashes.

A hash is 32 bytes. Proofs are lists of hashes, nearest the leaves first, as the RFC orders them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

#: Leaves from the first to before the second.
Range = tuple[int, int]
#: A complete subtree: after how many leaves it ends, and its level (a leaf has level 0).
Subtree = tuple[int, int]

HASH_BYTES = 32

#: The root of a tree without leaves.
EMPTY = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry of the log."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that follow each other, each smaller than the one before."""
    if not peaks:
        return EMPTY
    *rest, found = peaks
    for peak in reversed(rest):
        found = node_hash(peak, found)
    return found


class Frontier:
    """The roots of the complete subtrees of a growing tree: enough to append and to know the root.

    Takes O(log n) memory however long the log is, so that a whole log is verified as a stream.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add one leaf hash; the roots of the subtrees that it completes, by their level from 1."""
        completed: list[bytes] = []
        merges = self.size
        while merges & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            completed.append(leaf)
            merges >>= 1
        self._peaks.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        return folded(self._peaks)


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over all ``leaves`` (section 2.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_path(position: int, size: int) -> list[Range]:
    """The parts of a tree of ``size`` whose roots lead from one leaf to the tree's own (section 2.1.1).

    ``ValueError`` for a position outside the tree.
    """
    if not 0 <= position < size:
        raise ValueError(f"Position {position} is not in a tree of {size}.")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old_size: int, size: int) -> list[Range]:
    """The parts whose roots show that a tree of ``size`` extends its own first ``old_size`` leaves (section 2.1.2).

    ``ValueError`` for an old size of zero (everything extends the empty tree) or beyond the tree.
    """
    if not 0 < old_size <= size:
        raise ValueError(f"Size {old_size} is not between 1 and {size}.")
    path: list[Range] = []
    start, end = 0, size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start:
        # NOTE: a part that begins at the first leaf is the old tree itself, whose root the verifier already has.
        path.append((start, end))
    return path[::-1]


def complete_subtrees(part: Range) -> list[Subtree]:
    """The complete subtrees of which a part of a path is made, from the left."""
    start, end = part
    found: list[Subtree] = []
    while start < end:
        level = (end - start).bit_length() - 1
        start += 1 << level
        found.append((start, level))
    return found


def verify_inclusion(leaf: bytes, position: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` stands at ``position`` in the tree of that size and root."""
    if not 0 <= position < size:
        return False
    at, last, found = position, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether ``proof`` shows that the tree of that size and root extends the one of the old size and root."""
    if old_size == size:
        return not proof and old_root == root
    if not 0 < old_size < size:
        return False
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _split(size: int) -> int:
    """The largest power of two below ``size``, for sizes from 2."""
    return 1 << (size - 1).bit_length() - 1
