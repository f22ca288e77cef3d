"""A query's rows as Parquet data files that Iceberg can take in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile as IcebergFile
from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata

from ecluse.engine import Engine, quote
from ecluse.errors import DefinitionError
from ecluse.model.release import DataFile
from ecluse.warehouse.io import sha256
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.objects import ObjectStore
from ecluse.warehouse.schema import field_ids
from ecluse.warehouse.types import duckdb_type, fits, widens


def write_files(
    engine: Engine, dataset: str, sql: str, schema: Schema, folder: str, objects: ObjectStore, file_bytes: int
) -> tuple[DataFile, ...]:
    """Write a query's rows under a schema's field ids into a new folder; no file where there is no row.

    A file gets about ``file_bytes`` at most. The files are durable when this returns.
    """
    query = stored_as(dataset, engine.describe(sql), sql, schema)
    written = engine.copy(query, objects.local(folder), field_ids=field_ids(schema), file_bytes=file_bytes)
    rows = {file: pq.read_metadata(file).num_rows for file in written}
    if not any(rows.values()):
        shutil.rmtree(objects.local(folder))
        return ()
    files = tuple(_described(f"{folder}/{file.name}", file, rows[file]) for file in written)
    objects.put({file.path: file.sha256 for file in files})
    return files


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
    objects: ObjectStore, metadata: TableMetadata, schema_id: int, files: Iterable[DataFile]
) -> list[IcebergFile]:
    """Data files with the counts and bounds that Iceberg keeps of them, read from their footers."""
    seen = metadata.model_copy(update={"current_schema_id": schema_id})
    return [parquet_file_to_data_file(objects.io, seen, objects.location_of(file.path)) for file in files]


def added_by(table: Table, snapshot_id: int) -> Iterator[str]:
    """The locations of every file that only this snapshot brought in: data files, manifests and the list of them."""
    snapshot = table.metadata.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return
    yield snapshot.manifest_list
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot_id:
            continue
        yield manifest.manifest_path
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.status == ManifestEntryStatus.ADDED and entry.snapshot_id == snapshot_id:
                yield entry.data_file.file_path


def _described(path: str, file: Path, rows: int) -> DataFile:
    return DataFile(path, sha256(file), rows, file.stat().st_size, partition_of(path))
