"""Data files as releases name them: by path, hash, rows, bytes and partition."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pyiceberg.table import FileScanTask
from sqlalchemy import select

from ecluse.model.release import DataFile
from ecluse.store import Database
from ecluse.store.schema import data_files
from ecluse.warehouse.candidate import Parts
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.objects import ObjectStore

_AT_ONCE = 500


def described(database: Database, objects: ObjectStore, tasks: Iterable[FileScanTask]) -> tuple[DataFile, ...]:
    """The files of a plan; a file whose hash was not recorded when it was published is read and hashed."""
    files = {objects.path(task.file.file_path): task.file for task in tasks}
    known = recorded(database, files)
    return tuple(
        DataFile(
            path=path,
            sha256=known.get(path) or objects.digest(path),
            rows=file.record_count,
            bytes=file.file_size_in_bytes,
            partition=partition_of(file.file_path),
        )
        for path, file in files.items()
    )


def lying_in(tasks: Iterable[FileScanTask], parts: Parts) -> list[FileScanTask]:
    """The files of a plan that lie in some partitions' folders."""
    return [task for task in tasks if parts is None or partition_of(task.file.file_path) in parts]


def names_of(objects: ObjectStore, tasks: Iterable[FileScanTask]) -> frozenset[str]:
    """The paths of the files of a plan, with those of the delete files that apply to them."""
    return frozenset(objects.path(file.file_path) for task in tasks for file in (task.file, *task.delete_files))


def recorded(database: Database, paths: Collection[str]) -> dict[str, str]:
    """The SHA-256 of files, by path, as recorded when they were published."""
    found: dict[str, str] = {}
    wanted = list(paths)
    with database.reading() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            some = data_files.c.path.in_(wanted[start : start + _AT_ONCE])
            found.update((row.path, row.sha256) for row in connection.execute(select(data_files).where(some)))
    return found
