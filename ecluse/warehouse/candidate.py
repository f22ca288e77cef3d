"""What is written but not published: a candidate, and how all candidates stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ecluse.engine import FILE_BYTES
from ecluse.model.release import DataFile
from ecluse.model.update import Update

#: Some partitions (``None`` for the rows that lie in none), or ``None`` for the whole table.
Parts = frozenset[str | None] | None


@dataclass(frozen=True)
class Candidate:
    """A branch of one table that holds what one step wrote for one partition.

    ``base`` is the snapshot of ``main`` that it stands on; ``snapshot_id`` is ``None`` until something is written.
    ``files`` are the data files with the rows that it adds, ``removed`` those that it takes away, ``carried`` hold the
    rows of ``removed`` that stay. ``kept`` are published files that hold what it computed already. ``seen`` names the
    files of ``base`` that it was decided from; ``None`` where it was decided from none. ``marks`` stand in the summary
    of its snapshot. ``schema_id`` is the schema that ``main`` gets when the candidate is published. ``about`` is what
    its step says of it to a run that takes it up later, as JSON; empty where none can. ``computed`` are files in no
    snapshot, with all rows of a step whose ``files`` hold what follows from them; ``None`` where none were kept.
    """

    dataset: str
    partition: str | None
    branch: str
    base: int
    run_id: str
    attempt: int
    schema_id: int
    base_schema_id: int
    snapshot_id: int | None = None
    update: Update = "replace"
    files: tuple[DataFile, ...] = ()
    removed: tuple[DataFile, ...] = ()
    carried: tuple[DataFile, ...] = ()
    kept: tuple[DataFile, ...] = ()
    looks_at: Parts = frozenset()
    seen: frozenset[str] | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    computed: tuple[DataFile, ...] | None = None

    @property
    def written(self) -> tuple[DataFile, ...]:
        """All data files that are new."""
        return (*self.files, *self.carried)

    @property
    def content(self) -> tuple[DataFile, ...]:
        """The data files that hold what the step stands for, new or not."""
        return (*self.kept, *self.written)

    @property
    def rows(self) -> int:
        """Rows that the step stands for: those that it adds, and those that were published just so."""
        return sum(file.rows for file in (*self.kept, *self.files))


@dataclass(frozen=True)
class Change:
    """What a candidate does to the published files, by partition.

    ``added`` maps a partition to the query of the rows that are new in it, ``carried`` to the query of the rows that
    stay, of the files ``removed`` (paths). With ``whole``, the partitions of ``added`` are replaced, but for those that
    hold the same rows already, whatever their columns of ``ignores`` say. ``looks_at`` names the partitions that all
    this was decided from. A file gets about ``file_bytes`` at most.
    """

    added: Mapping[str | None, str]
    carried: Mapping[str | None, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    whole: bool = False
    ignores: frozenset[str] = frozenset()
    looks_at: Parts = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)
    file_bytes: int = FILE_BYTES


@dataclass(frozen=True)
class Branch:
    """A candidate's branch as it stands in the warehouse, with the state of its lease.

    ``lease`` is ``none`` where the branch was not made by Écluse, or its holder is gone without a trace.
    """

    dataset: str
    branch: str
    snapshot_id: int
    lease: Literal["live", "expired", "none"]
    holder: str | None = None
    expires: datetime | None = None
