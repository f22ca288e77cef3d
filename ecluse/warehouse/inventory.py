"""Data files as releases name them: by path, hash, rows, bytes and partition."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pyiceberg.table import FileScanTask
from sqlalchemy import select

from ecluse.model.release import DataFile
from ecluse.store import Database
from ecluse.store.schema import data_files
from ecluse.warehouse.files import relative
from ecluse.warehouse.io import sha256
from ecluse.warehouse.layout import partition_of

_AT_ONCE = 500


def described(database: Database, root: Path, tasks: Iterable[FileScanTask]) -> tuple[DataFile, ...]:
    """The files of a plan; a file whose hash was not recorded when it was published is read and hashed."""
    files = {relative(task.file.file_path, root): task.file for task in tasks}
    known = _recorded(database, list(files))
    return tuple(
        DataFile(
            path=path,
            sha256=known.get(path) or sha256(root / path),
            rows=file.record_count,
            bytes=file.file_size_in_bytes,
            partition=partition_of(file.file_path),
        )
        for path, file in files.items()
    )


def of_partition(tasks: Iterable[FileScanTask], partition: str | None) -> list[FileScanTask]:
    """The files of a plan that lie in one partition's folder."""
    return [task for task in tasks if partition_of(task.file.file_path) == partition]


def _recorded(database: Database, paths: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with database.reading() as connection:
        for start in range(0, len(paths), _AT_ONCE):
            some = data_files.c.path.in_(paths[start : start + _AT_ONCE])
            found.update((row.path, row.sha256) for row in connection.execute(select(data_files).where(some)))
    return found
