"""Files that a table's folder holds and nothing refers to: what killed runs and forgotten snapshots left behind."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pyiceberg.table import Table
from sqlalchemy import delete

from ecluse.store.schema import data_files
from ecluse.warehouse import leases
from ecluse.warehouse.border import border
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.files import delete_files
from ecluse.warehouse.io import local_path

#: The folders of a table that hold its files; what lies beside them is not the warehouse's.
_OWN = ("data", "metadata")
_AT_ONCE = 500


@dataclass(frozen=True, order=True)
class Orphan:
    """One file that nothing refers to: its path below the warehouse's root, and its size."""

    path: str
    bytes: int


def orphans(catalog: Catalog, dataset: str | None, grace: timedelta) -> tuple[Orphan, ...]:
    """The files of a table, or of all and of those that were never finished, that nothing referred to for ``grace``.

    A file of a run that holds a lease is none, however old it is. ``IntegrityError`` where a manifest can't be read:
    what it refers to is then unknown.
    """
    before = time.time() - grace.total_seconds()
    tables = {name: _folder(catalog, name) for name in catalog.datasets()}
    # NOTE: what is at work is asked before what is referred to. A run that publishes in between is held by its lease
    # or already referred to, and never neither.
    with catalog.database.reading() as connection:
        busy = tuple(f"{lease.holder}-" for lease in leases.held(connection))
    found = []
    wanted = list(tables) if dataset is None else [dataset]
    known: set[Path] = set()
    for name in wanted:
        with border(name):
            known |= set(referenced(catalog.open(name)))
    roots = [catalog.root] if dataset is None else [tables[dataset] / part for part in _OWN]
    # NOTE: a table clean.t.data lies inside the data folder of clean.t.
    others = [folder / part for name, folder in tables.items() if name not in wanted for part in _OWN]
    for root in roots:
        for path, size, changed in _files(root, others):
            below = path.relative_to(catalog.root)
            if changed <= before and path not in known and _ours(below) and not _held(below, busy):
                found.append(Orphan(below.as_posix(), size))
    return tuple(sorted(found))


def sweep(catalog: Catalog, found: Collection[Orphan]) -> None:
    """Delete files, and folders that are empty then; their hashes are forgotten with them."""
    paths = [orphan.path for orphan in found]
    with catalog.database.transaction() as connection:
        for start in range(0, len(paths), _AT_ONCE):
            connection.execute(delete(data_files).where(data_files.c.path.in_(paths[start : start + _AT_ONCE])))
    delete_files(catalog.root / path for path in paths)
    for path in paths:
        _drop_empty(catalog.root / path, catalog.root)


def referenced(table: Table) -> Iterator[Path]:
    """Every file that a table's current metadata, or any snapshot that it knows, refers to; some more than once."""
    metadata = table.metadata
    yield local_path(table.metadata_location)
    for entry in metadata.metadata_log:
        yield local_path(entry.metadata_file)
    for statistics in (*metadata.statistics, *metadata.partition_statistics):
        yield local_path(statistics.statistics_path)
    read: set[str] = set()
    for snapshot in metadata.snapshots:
        yield local_path(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in read:
                continue
            read.add(manifest.manifest_path)
            yield local_path(manifest.manifest_path)
            for found in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield local_path(found.data_file.file_path)


def _folder(catalog: Catalog, dataset: str) -> Path:
    with border(dataset):
        return local_path(catalog.open(dataset).location())


def _files(root: Path, others: Collection[Path]) -> Iterator[tuple[Path, int, float]]:
    """Every file below a folder with its size and time, but for those in ``others``."""
    for folder, names, files in os.walk(root):
        here = Path(folder)
        names[:] = sorted(name for name in names if here / name not in others)
        for name in sorted(files):
            try:
                found = (here / name).lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                yield here / name, found.st_size, found.st_mtime


def _ours(below: Path) -> bool:
    return any(part in _OWN for part in below.parts[:-1])


def _held(below: Path, busy: tuple[str, ...]) -> bool:
    """Whether a file lies in the folder of a run that may still be at work: ``…/<run>-<attempt>-<random>/<file>``."""
    return bool(busy) and below.parent.name.startswith(busy)


def _drop_empty(path: Path, root: Path) -> None:
    for folder in path.parents:
        if folder == root or not folder.is_relative_to(root):
            return
        try:
            folder.rmdir()
        except OSError:
            return
