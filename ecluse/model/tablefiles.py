"""A table as the data files that it consists of, so that what was measured of a file needn't be measured again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileRows:
    """One data file. ``digest`` stands for all that decides its rows: its bytes, and how its columns are read.

    ``relation`` is what can follow ``FROM`` and gives these rows in their order; ``rows`` counts them.
    """

    digest: str
    relation: str
    rows: int


@dataclass(frozen=True)
class TableFiles:
    """All rows of a table, file by file in its order; ``folder`` is where the states of measures are kept.

    ``copied`` names the columns of which all values may be kept there too; ``None`` is all columns.
    """

    files: tuple[FileRows, ...]
    folder: Path
    copied: frozenset[str] | None = None

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(part.rows for part in self.files)
