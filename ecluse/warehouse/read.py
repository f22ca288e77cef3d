"""A snapshot as SQL over its data files, read by field id so that renamed, added and widened columns are right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.types import NestedField

from ecluse.engine import literal, quote
from ecluse.errors import IntegrityError, WarehouseError
from ecluse.warehouse.foreign import deletes_as_parquet, needs_reader, rows_as_parquet
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.objects import Hashes, ObjectStore, Wanted
from ecluse.warehouse.types import duckdb_type


def schema_of(table: Table, dataset: str, snapshot_id: int) -> Schema:
    """The schema that a snapshot was written under."""
    snapshot = table.metadata.snapshot_by_id(snapshot_id)
    if snapshot is None:
        raise WarehouseError("warehouse.no_snapshot", dataset=dataset, snapshot=snapshot_id)
    found = table.schemas().get(snapshot.schema_id if snapshot.schema_id is not None else table.schema().schema_id)
    return found or table.schema()


def tasks_of(table: Table, dataset: str, snapshot_id: int) -> list[FileScanTask]:
    """The data files of a snapshot with the delete files that apply to each, by path."""
    schema_of(table, dataset, snapshot_id)
    try:
        return sorted(table.scan(snapshot_id=snapshot_id).plan_files(), key=lambda task: task.file.file_path)
    except (AssertionError, IndexError, KeyError, ValueError) as error:
        if "equality deletes" in str(error):
            raise WarehouseError("warehouse.deletes", dataset=dataset, path=table.location()) from error
        # NOTE: what PyIceberg raises on a manifest whose bytes are not what was written.
        raise IntegrityError("warehouse.damaged_file", dataset=dataset, error=str(error) or "manifest") from error


def rows_of(table: Table, dataset: str, snapshot_id: int) -> int | None:
    """How many rows a snapshot holds, by its list of manifests; ``None`` where rows are deleted from files."""
    schema_of(table, dataset, snapshot_id)
    snapshot = table.metadata.snapshot_by_id(snapshot_id)
    assert snapshot is not None
    found = 0
    for manifest in snapshot.manifests(table.io):
        added, existing = manifest.added_rows_count, manifest.existing_rows_count
        if manifest.content != ManifestContent.DATA or added is None or existing is None:
            return None
        found += added + existing
    return found


def scan_sql(
    objects: ObjectStore,
    hashes: Hashes,
    dataset: str,
    table: Table,
    schema: Schema,
    tasks: Iterable[FileScanTask],
    partitions: Collection[str | None] | None = None,
) -> str:
    """A parenthesised ``SELECT`` of all rows of these data files, typed by the schema; no row where there is no file.

    Rows that another engine deleted by position are left out. What else other engines wrote is read by PyIceberg, or
    refused: reading over it would bring deleted rows back.
    """
    read = [task for task in tasks if partitions is None or partition_of(task.file.file_path) in partitions]
    groups, _ = _fetched(objects, hashes, dataset, table, schema, read)
    return select_sql(schema, groups, objects.stem)


def located_sql(
    objects: ObjectStore,
    hashes: Hashes,
    dataset: str,
    table: Table,
    schema: Schema,
    tasks: Iterable[FileScanTask],
    place: str,
) -> tuple[str, dict[str, str]]:
    """As ``scan_sql``, with a column ``place`` that tells a row's file, and the path that each of its values means."""
    groups, paths = _fetched(objects, hashes, dataset, table, schema, list(tasks))
    return select_sql(schema, groups, objects.stem, place), paths


def _fetched(
    objects: ObjectStore, hashes: Hashes, dataset: str, table: Table, schema: Schema, read: list[FileScanTask]
) -> tuple[dict[tuple[Path, ...], list[Path]], dict[str, str]]:
    """Local files by the deletes that apply to them, and the path of the data file that each of them stands for."""
    theirs = [task for task in read if needs_reader(dataset, table, schema, task)]
    groups: dict[tuple[Path, ...], list[Path]] = {}
    paths: dict[str, str] = {}
    if theirs:
        groups[()] = [rows_as_parquet(dataset, table, schema, task) for task in theirs]
        paths = {str(file): objects.path(task.file.file_path) for file, task in zip(groups[()], theirs, strict=True)}
        read = [task for task in read if all(task is not other for other in theirs)]
    every = [file for task in read for file in (task.file, *filter(_plain, task.delete_files))]
    wanted = {Wanted(objects.path(file.file_path), file.file_size_in_bytes) for file in every}
    local = objects.fetch(dataset, sorted(wanted), hashes)
    for task in read:
        gone = [
            local[objects.path(file.file_path)] if _plain(file) else deletes_as_parquet(dataset, table.io, file)
            for file in task.delete_files
        ]
        path = objects.path(task.file.file_path)
        groups.setdefault(tuple(sorted(gone)), []).append(local[path])
        paths[str(local[path])] = path
    return groups, paths


def shared_files(
    one: tuple[Schema, Iterable[FileScanTask]], other: tuple[Schema, Iterable[FileScanTask]]
) -> frozenset[str]:
    """The locations of the data files that give the same rows to two snapshots, by the columns that both have.

    None where a column's name stands for another field, so that the same file reads differently; a column that was
    renamed is the same field under another name.
    """
    ids, others = ({field.name: field.field_id for field in schema.fields} for schema, _ in (one, other))
    if any(others[name] != ids[before] for name, before in paired(ids, others).items()):
        return frozenset()
    whole = [{task.file.file_path for task in tasks if not task.delete_files} for _, tasks in (one, other)]
    return frozenset(whole[0] & whole[1])


def paired(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, str]:
    """Which column of one version each column of another is, by field id, else by name; both map names to ids.

    >>> paired({"id": 1, "name": 2, "n": 3}, {"title": 2, "id": 1, "n": 7, "name": 8})
    {'title': 'name', 'id': 'id', 'n': 'n'}
    """
    by_id = {number: name for name, number in before.items()}
    same = {name: by_id[number] for name, number in after.items() if number in by_id}
    taken = set(same.values())
    return same | {name: name for name in after if name not in same and name in before and name not in taken}


def select_sql(
    schema: Schema,
    groups: Mapping[tuple[Path, ...], Sequence[Path]],
    stem: tuple[str, str] = ("", ""),
    place: str | None = None,
) -> str:
    """A parenthesised ``SELECT`` of data files, which are grouped by the position deletes that apply to them.

    ``stem`` says how the locations in the deletes become names of local files, as ``ObjectStore.stem`` does. ``place``
    names a further column, which holds the name of the local file.
    """
    parts = [_select(schema, files, deletes, stem, place) for deletes, files in groups.items() if files]
    nothing = _nothing(schema) + (f", NULL::VARCHAR AS {quote(place)}" if place else "")
    return f"({' UNION ALL '.join(parts)})" if parts else f"(SELECT {nothing} WHERE false)"


def _select(
    schema: Schema, files: Sequence[Path], deletes: Sequence[Path], stem: tuple[str, str], place: str | None
) -> str:
    names = ", ".join(quote(field.name) for field in schema.fields)
    if place is not None:
        names += f", filename AS {quote(place)}"
    columns = ", ".join(f"{field.field_id}: {_column(field)}" for field in schema.fields)
    # NOTE: without hive_partitioning = false the folder's name would become a column.
    paths = literal([str(file) for file in files])
    source = f"read_parquet({paths}, schema = MAP {{{columns}}}, hive_partitioning = false"
    if not deletes:
        return f"SELECT {names} FROM {source}{', filename = true' if place else ''})"
    gone = f"read_parquet({literal([str(file) for file in deletes])}, hive_partitioning = false)"
    beginning, instead = (literal(part) for part in stem)
    return (
        f"SELECT {names} FROM {source}, filename = true, file_row_number = true) AS kept ANTI JOIN {gone} AS gone"
        f" ON regexp_replace(gone.file_path, {beginning}, {instead}) = kept.filename"
        " AND gone.pos = kept.file_row_number"
    )


def numbered_sql(
    dataset: str, table: Table, schema: Schema, tasks: Iterable[FileScanTask], copies: Mapping[str, Path], number: str
) -> dict[str, str]:
    """By location, a parenthesised ``SELECT`` of the copy of each data file, with each row's number in it, from 0.

    ``WarehouseError`` where a file by itself doesn't say which rows the snapshot has.
    """
    columns = ", ".join(f"{field.field_id}: {_column(field)}" for field in schema.fields)
    names = ", ".join(quote(field.name) for field in schema.fields)
    found = {}
    for task in tasks:
        if task.delete_files or needs_reader(dataset, table, schema, task):
            raise WarehouseError("warehouse.not_by_itself", dataset=dataset, path=task.file.file_path)
        source = (
            f"read_parquet({literal(str(copies[task.file.file_path]))}, schema = MAP {{{columns}}}, "
            "hive_partitioning = false, file_row_number = true)"
        )
        found[task.file.file_path] = f"(SELECT {names}, file_row_number AS {quote(number)} FROM {source})"
    return found


def _plain(file: DataFile) -> bool:
    return file.content == DataFileContent.POSITION_DELETES and file.file_format == FileFormat.PARQUET


def _column(field: NestedField) -> str:
    kind = literal(duckdb_type(field.field_type))
    return f"{{name: {literal(field.name)}, type: {kind}, default_value: NULL}}"


def _nothing(schema: Schema) -> str:
    return ", ".join(f"CAST(NULL AS {duckdb_type(f.field_type)}) AS {quote(f.name)}" for f in schema.fields)
