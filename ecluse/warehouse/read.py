"""A snapshot as SQL over its data files, read by field id so that renamed, added and widened columns are right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pyiceberg.manifest import DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.types import NestedField

from ecluse.engine import literal, quote
from ecluse.errors import IntegrityError, WarehouseError
from ecluse.warehouse.io import local_path
from ecluse.warehouse.layout import partition_of
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


def scan_sql(
    dataset: str, schema: Schema, tasks: Iterable[FileScanTask], partitions: Collection[str] | None = None
) -> str:
    """A parenthesised ``SELECT`` of all rows of these data files, typed by the schema; no row where there is no file.

    Rows that another engine deleted by position are left out. Deletes of other kinds are refused: reading over them
    would bring deleted rows back.
    """
    groups: dict[tuple[str, ...], list[Path]] = {}
    for task in tasks:
        if partitions is not None and partition_of(task.file.file_path) not in partitions:
            continue
        path = local_path(task.file.file_path)
        confirm(dataset, path, task.file.file_size_in_bytes)
        groups.setdefault(_deletes(dataset, task), []).append(path)
    return select_sql(schema, groups)


def shared_files(
    one: tuple[Schema, Iterable[FileScanTask]], other: tuple[Schema, Iterable[FileScanTask]]
) -> frozenset[str]:
    """The locations of the data files that give the same rows to two snapshots, by the columns that both have.

    None where a column's name stands for another field, so that the same file reads differently.
    """
    ids = {field.name: field.field_id for field in one[0].fields}
    if any(ids.get(field.name, field.field_id) != field.field_id for field in other[0].fields):
        return frozenset()
    whole = [{task.file.file_path for task in tasks if not task.delete_files} for _, tasks in (one, other)]
    return frozenset(whole[0] & whole[1])


def select_sql(schema: Schema, groups: Mapping[tuple[str, ...], Sequence[Path]]) -> str:
    """A parenthesised ``SELECT`` of data files, which are grouped by the position deletes that apply to them."""
    parts = [_select(schema, [str(file) for file in files], deletes) for deletes, files in groups.items() if files]
    return f"({' UNION ALL '.join(parts)})" if parts else f"(SELECT {_nothing(schema)} WHERE false)"


def confirm(dataset: str, path: Path, size: int) -> None:
    """Refuse a file that is gone or has another size; its hash is checked where a release is opened."""
    try:
        found = path.stat().st_size
    except FileNotFoundError as error:
        raise IntegrityError("warehouse.missing_file", dataset=dataset, path=path) from error
    if found != size:
        raise IntegrityError("warehouse.altered_file", dataset=dataset, path=path, found=found, wanted=size)


def _select(schema: Schema, files: list[str], deletes: tuple[str, ...]) -> str:
    names = ", ".join(quote(field.name) for field in schema.fields)
    columns = ", ".join(f"{field.field_id}: {_column(field)}" for field in schema.fields)
    # NOTE: without hive_partitioning = false the folder's name would become a column.
    source = f"read_parquet({literal(files)}, schema = MAP {{{columns}}}, hive_partitioning = false"
    if not deletes:
        return f"SELECT {names} FROM {source})"
    gone = f"read_parquet({literal(list(deletes))}, hive_partitioning = false)"
    return (
        f"SELECT {names} FROM {source}, filename = true, file_row_number = true) AS kept ANTI JOIN {gone} AS gone"
        " ON regexp_replace(gone.file_path, '^file:(//)?', '') = kept.filename AND gone.pos = kept.file_row_number"
    )


def _column(field: NestedField) -> str:
    kind = literal(duckdb_type(field.field_type))
    return f"{{name: {literal(field.name)}, type: {kind}, default_value: NULL}}"


def _nothing(schema: Schema) -> str:
    return ", ".join(f"CAST(NULL AS {duckdb_type(f.field_type)}) AS {quote(f.name)}" for f in schema.fields)


def _deletes(dataset: str, task: FileScanTask) -> tuple[str, ...]:
    for file in task.delete_files:
        if file.content != DataFileContent.POSITION_DELETES or file.file_format != FileFormat.PARQUET:
            raise WarehouseError("warehouse.deletes", dataset=dataset, path=file.file_path)
        confirm(dataset, local_path(file.file_path), file.file_size_in_bytes)
    return tuple(sorted(str(local_path(file.file_path)) for file in task.delete_files))
