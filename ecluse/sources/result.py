"""What a collection gives: rows, rejects, and the raw bytes both came from."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class RawInput:
    """One original, kept unaltered: where it came from, the SHA-256 of its bytes, and where they are kept."""

    origin: str
    sha256: str
    bytes: int
    kept: Path

    @property
    def mark(self) -> str:
        """What the origin of each of its rows begins with."""
        return self.sha256[:12]


@dataclass(frozen=True)
class Counts:
    """Rows of one input, each number counted by itself: ``records == rows + rejected`` was checked.

    ``records`` are the data records of the original, the header left out. ``records`` and ``rows + rejected`` come
    from two readers that know nothing of each other.
    """

    origin: str
    records: int
    rows: int
    rejected: int


@dataclass(frozen=True)
class Collection:
    """The rows of a source, in the order of its files, and what could not become a row.

    ``sql`` gives the contract's columns and ``_origin`` (``<first 12 digits of the SHA-256>:<record number from 1>``).
    ``rejects_sql`` gives ``_origin``, ``_raw`` (the record's text) and ``_reason``; it is ``None`` without rejects.
    Both read from ``spool``, a temporary folder that lives as long as the collection, or until ``close``.
    """

    sql: str
    rejects_sql: str | None
    counts: tuple[Counts, ...]
    inputs: tuple[RawInput, ...]
    spool: Path
    checks: tuple[Callable[[], None], ...] = ()
    _cleaner: Callable[[], object] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cleaner", weakref.finalize(self, shutil.rmtree, self.spool, ignore_errors=True))

    @property
    def rows(self) -> int:
        """Rows of all inputs."""
        return sum(c.rows for c in self.counts)

    @property
    def rejected(self) -> int:
        """Rejected records of all inputs."""
        return sum(c.rejected for c in self.counts)

    def confirm_unchanged(self) -> None:
        """Look at the originals once more: ``SourceError("sources.changed")`` where one isn't what was collected."""
        for check in self.checks:
            check()

    def close(self) -> None:
        """Remove the temporary files; the kept raw bytes stay."""
        if self._cleaner is not None:
            self._cleaner()
