"""Numbers in order, in a file of small blocks: a question about them reads the few blocks that its answer lies in.

A run is sorted, and short enough to be sorted in memory; a file holds as many as its numbers take. Behind the blocks
stands a table that names the first number and the digest of each, and behind it the seal of that table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ecluse.quality.states import NoState

Array = np.ndarray[Any, np.dtype[Any]]
#: Makes the seal of bytes, which says what they are about.
Seal = Callable[[bytes], bytes]

#: Numbers of a run, and of a block: the first is what building takes in memory, the second what a question reads.
RUN, BLOCK = 2**22, 2**12
_DIGEST = 16
_LENGTH = 8
#: Questions about neighbouring numbers come one after the other.
_REMEMBERED = 4


class Run:
    """Some of the numbers of a file at ``path``, in ascending order; ``table`` describes its blocks."""

    def __init__(self, path: Path, table: Array) -> None:
        self.path = path
        self.firsts: Array = table["first"]
        self.size = int(table["size"].sum())
        self._table = table
        self._before = np.cumsum(table["size"]) - table["size"]
        self._block = lru_cache(_REMEMBERED)(self._read)

    def leading(self, holds: Callable[[Array], Array]) -> int:
        """How many numbers ``holds`` is true of; it must be true of none behind one that it isn't true of."""
        place = int(np.count_nonzero(holds(self.firsts))) - 1
        return 0 if place < 0 else int(self._before[place] + np.count_nonzero(holds(self._block(place))))

    def around(self, number: Any) -> Array:
        """The block in which what is larger than ``number``, and no first of a block, must be; may be empty."""
        place = int(np.searchsorted(self.firsts, number, "right")) - 1
        return self.firsts[:0] if place < 0 else self._block(place)

    def _read(self, place: int) -> Array:
        entry = self._table[place]
        found = np.fromfile(self.path, self.firsts.dtype, int(entry["size"]), offset=int(entry["offset"]))
        if _digest(found) != entry["digest"].tobytes():
            # Damaged is as good as not there: it is made again when it is asked for next.
            self.path.unlink(missing_ok=True)
            raise NoState("a damaged block")
        return found


def parts(runs: Iterable[Array], seal: Seal) -> Iterator[bytes | memoryview]:
    """What is written of sorted ``runs``, one after the other, of which only one must be in memory."""
    entries, offset, kind = [], 0, np.dtype("f8")
    for number, run in enumerate(runs):
        kind = run.dtype
        for start in range(0, len(run), BLOCK):
            block = run[start : start + BLOCK]
            entries.append((number, block[0], len(block), offset, np.void(_digest(block))))
            offset += block.nbytes
        yield memoryview(run.view("uint8").data)
    table = np.array(entries, _entry(kind)).tobytes()
    yield table
    yield len(entries).to_bytes(_LENGTH, "little")
    yield seal(table)


def read(path: Path, kind: np.dtype[Any], seal: Seal) -> list[Run] | None:
    """The runs of numbers of one ``kind`` in a file; ``None`` where there are none that can be trusted."""
    try:
        with path.open("rb") as file:
            table = _table(file, _entry(kind), seal)
    except (OSError, ValueError):
        return None
    if table is None:
        return None
    starts = np.flatnonzero(np.diff(table["run"], prepend=-1))
    return [Run(path, part) for part in np.split(table, starts[1:])] if len(table) else []


def _table(file: BinaryIO, entry: np.dtype[Any], seal: Seal) -> Array | None:
    size = len(seal(b""))
    end = file.seek(0, 2) - size - _LENGTH
    file.seek(max(end, 0))
    length = int.from_bytes(file.read(_LENGTH), "little") * entry.itemsize
    sealed = file.read(size)
    if end < length:
        return None
    file.seek(end - length)
    written = file.read(length)
    return np.frombuffer(written, entry) if seal(written) == sealed else None


def _entry(kind: np.dtype[Any]) -> np.dtype[Any]:
    """What the table says of a block."""
    return np.dtype([("run", "<i4"), ("first", kind), ("size", "<i4"), ("offset", "<i8"), ("digest", f"V{_DIGEST}")])


def _digest(block: Array) -> bytes:
    return hashlib.sha256(block.view("uint8").data).digest()[:_DIGEST]
