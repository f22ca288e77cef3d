"""What is written but not published: a candidate, and how all candidates stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecluse.model.release import DataFile
from ecluse.model.step import Update


@dataclass(frozen=True)
class Candidate:
    """A branch of one table that holds what one step wrote for one partition.

    ``base`` is the snapshot of ``main`` that it stands on; ``snapshot_id`` is ``None`` until something is written.
    ``files`` are the data files that it adds, ``removed`` those that it takes away. ``schema_id`` is the schema that
    ``main`` gets when the candidate is published.
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

    @property
    def rows(self) -> int:
        """Rows of all files that it adds."""
        return sum(file.rows for file in self.files)


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
