"""Files that a table's folder holds and nothing refers to: what killed runs and forgotten snapshots left behind."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from pyiceberg.table import Table
from sqlalchemy import delete

from ecluse.store.schema import data_files
from ecluse.warehouse import kept, leases
from ecluse.warehouse.border import border
from ecluse.warehouse.catalog import Catalog

#: The folders of a table that hold its files; what lies beside them is not the warehouse's.
_OWN = ("data", "metadata")
_AT_ONCE = 500


@dataclass(frozen=True, order=True)
class Orphan:
    """One file that nothing refers to: its path below the warehouse's root, and its size."""

    path: str
    bytes: int


def orphans(
    catalog: Catalog, dataset: str | None, grace: timedelta, without: Collection[str] = ()
) -> tuple[Orphan, ...]:
    """The files of a table, or of all and of those that were never finished, that nothing referred to for ``grace``.

    A file of a run that holds a lease is none, however old it is, unless that run is over for certain.
    ``IntegrityError`` where a manifest can't be read: what it refers to is then unknown.
    """
    before = time.time() - grace.total_seconds()
    tables = {name: _folder(catalog, name) for name in catalog.datasets()}
    # NOTE: what is at work is asked before what is referred to. A run that publishes in between is held by its lease
    # or already referred to, and never neither.
    with catalog.database.reading() as connection:
        busy = tuple(f"{lease.holder}-" for lease in leases.held(connection) if not lease.abandoned)
    found = []
    wanted = [name for name in (tables if dataset is None else [dataset]) if name not in without]
    known: set[str] = set()
    for name in wanted:
        with border(name):
            table = catalog.open(name)
            known |= {catalog.objects.path(location) for location in referenced(table)}
            known |= {*kept.computed_files(table.metadata)}
    roots = [""] if dataset is None else [f"{tables[name]}/{part}" for name in wanted for part in _OWN]
    # NOTE: a table clean.t.data lies inside the data folder of clean.t.
    others = [f"{folder}/{part}" for name, folder in tables.items() if name not in wanted for part in _OWN]
    for root in roots:
        old = (file for file in catalog.objects.walk(root, without=others) if file.changed <= before)
        lost = (file for file in old if file.path not in known and _ours(file.path) and not _held(file.path, busy))
        found += [Orphan(file.path, file.size) for file in lost]
    return tuple(sorted(found))


def sweep(catalog: Catalog, found: Collection[Orphan]) -> None:
    """Delete files, and folders that are empty then; their hashes are forgotten with them."""
    paths = [orphan.path for orphan in found]
    with catalog.database.transaction() as connection:
        for start in range(0, len(paths), _AT_ONCE):
            connection.execute(delete(data_files).where(data_files.c.path.in_(paths[start : start + _AT_ONCE])))
    catalog.objects.delete(paths)
    catalog.objects.tidy(paths)


def referenced(table: Table) -> Iterator[str]:
    """The location of every file that a table's current metadata, or any of its snapshots, refers to; some repeat."""
    metadata = table.metadata
    yield table.metadata_location
    for entry in metadata.metadata_log:
        yield entry.metadata_file
    for statistics in (*metadata.statistics, *metadata.partition_statistics):
        yield statistics.statistics_path
    read: set[str] = set()
    for snapshot in metadata.snapshots:
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in read:
                continue
            read.add(manifest.manifest_path)
            yield manifest.manifest_path
            for found in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield found.data_file.file_path


def _folder(catalog: Catalog, dataset: str) -> str:
    with border(dataset):
        return catalog.objects.path(catalog.open(dataset).location())


def _ours(path: str) -> bool:
    return any(part in _OWN for part in PurePosixPath(path).parts[:-1])


def _held(path: str, busy: tuple[str, ...]) -> bool:
    """Whether a file lies in the folder of a run that may still be at work: ``…/<run>-<attempt>-<random>/<file>``."""
    return bool(busy) and PurePosixPath(path).parent.name.startswith(busy)
