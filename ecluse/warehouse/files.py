"""A query's rows as Parquet data files that Iceberg can take in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile as IcebergFile
from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata

from ecluse.engine import Engine, quote
from ecluse.errors import DefinitionError
from ecluse.model.release import DataFile
from ecluse.warehouse.io import local_path, location_of, sha256, sync
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.schema import field_ids
from ecluse.warehouse.types import duckdb_type, fits, widens


def write_files(
    engine: Engine, dataset: str, sql: str, schema: Schema, folder: Path, root: Path
) -> tuple[DataFile, ...]:
    """Write a query's rows under a schema's field ids into a new folder; no file where there is no row.

    Files and folders are on the disk when this returns.
    """
    query = stored_as(dataset, engine.describe(sql), sql, schema)
    written = engine.copy(query, folder, field_ids=field_ids(schema))
    rows = {path: pq.read_metadata(path).num_rows for path in written}
    if not any(rows.values()):
        shutil.rmtree(folder)
        return ()
    for path in written:
        sync(path)
    sync(folder, up_to=root)
    return tuple(_described(path, rows[path], root) for path in written)


def stored_as(dataset: str, given: dict[str, str], sql: str, schema: Schema) -> str:
    """``sql`` with the schema's columns, in its order and types.

    Types widen where nothing is lost; every other difference is a ``DefinitionError`` that names the column.
    """
    wanted = {field.name: field.field_type for field in schema.fields}
    if set(given) != set(wanted):
        raise DefinitionError(
            "warehouse.columns",
            dataset=dataset,
            missing=", ".join(n for n in wanted if n not in given) or "-",
            extra=", ".join(n for n in given if n not in wanted) or "-",
            columns=", ".join(wanted),
        )
    chosen = []
    for name, kind in wanted.items():
        if fits(given[name], kind):
            chosen.append(quote(name))
        elif widens(given[name], kind):
            chosen.append(f"CAST({quote(name)} AS {duckdb_type(kind)}) AS {quote(name)}")
        else:
            raise DefinitionError(
                "warehouse.cast", dataset=dataset, column=name, found=given[name], wanted=duckdb_type(kind)
            )
    return f"SELECT {', '.join(chosen)} FROM ({sql})"


def as_iceberg(
    io: FileIO, metadata: TableMetadata, schema_id: int, root: Path, files: Iterable[DataFile]
) -> list[IcebergFile]:
    """Data files with the counts and bounds that Iceberg keeps of them, read from their footers."""
    seen = metadata.model_copy(update={"current_schema_id": schema_id})
    return [parquet_file_to_data_file(io, seen, location_of(root / file.path)) for file in files]


def relative(location: str, root: Path) -> str:
    """A data file's path below the warehouse's root; its full path where it lies elsewhere."""
    path = local_path(location)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def added_by(table: Table, snapshot_id: int) -> Iterator[Path]:
    """Every file that only this snapshot brought in: data files, manifests and the list of them."""
    snapshot = table.metadata.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return
    yield local_path(snapshot.manifest_list)
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot_id:
            continue
        yield local_path(manifest.manifest_path)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.status == ManifestEntryStatus.ADDED and entry.snapshot_id == snapshot_id:
                yield local_path(entry.data_file.file_path)


def delete_files(paths: Iterable[Path]) -> None:
    """Delete files that nothing refers to any more, and folders that are empty then; what can't be deleted stays."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        except OSError:
            continue


def _described(path: Path, rows: int, root: Path) -> DataFile:
    location = location_of(path)
    return DataFile(relative(location, root), sha256(path), rows, path.stat().st_size, partition_of(location))
