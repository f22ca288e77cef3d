"""A table's schema: made from a contract's columns, changed without touching what is published."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping

from pyiceberg.exceptions import ResolveError
from pyiceberg.schema import Schema, assign_fresh_schema_ids, promote
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import ancestors_of
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from ecluse.errors import DefinitionError
from ecluse.warehouse.types import UnknownType, duckdb_type, iceberg_type


def wanted_types(dataset: str, columns: Mapping[str, str]) -> dict[str, IcebergType]:
    """The Iceberg type of each column; ``DefinitionError`` names the first whose type a table can't hold."""
    found: dict[str, IcebergType] = {}
    for name, text in columns.items():
        try:
            found[name] = iceberg_type(text)
        except UnknownType as error:
            raise DefinitionError("warehouse.column_type", dataset=dataset, column=name, type=text) from error
    return found


def first_schema(types: Mapping[str, IcebergType]) -> Schema:
    """The schema of a new table."""
    return _with_ids(types, {}, itertools.count(1))


def evolved_schema(dataset: str, metadata: TableMetadata, types: Mapping[str, IcebergType]) -> Schema:
    """The schema in which ``main`` would hold these columns; its id tells whether the table knows it already.

    A column keeps its field id, also when its type is widened. A new column gets an id that was never used, so that
    values of a column once dropped can't come back under the same name.
    """
    current = metadata.schema()
    kept: dict[str, NestedField] = {}
    for name, wanted in types.items():
        field = next((f for f in current.fields if f.name == name), None)
        if field is not None:
            kept[name] = field if _same(field.field_type, wanted) else _widened(dataset, field, wanted)
    for known in (current, *_unpublished(metadata)):
        if _is(known, types, kept):
            return known
    made = _with_ids(types, kept, itertools.count(metadata.last_column_id + 1))
    return Schema(*made.fields, schema_id=max(s.schema_id for s in metadata.schemas) + 1)


def columns_of(schema: Schema) -> dict[str, str]:
    """Column names and DuckDB types, in order."""
    return {field.name: duckdb_type(field.field_type) for field in schema.fields}


def field_ids(schema: Schema) -> dict[str, object]:
    """The field ids of a schema in the form of DuckDB's ``FIELD_IDS`` option, nested where columns are."""
    return {field.name: _ids(field.field_id, field.field_type) for field in schema.fields}


def without_metrics(schema: Schema, personal: Collection[str]) -> dict[str, str]:
    """Table properties that keep values of personal columns, nested ones too, out of manifests."""
    names = [n for n in schema.column_names if any(n == p or n.startswith(f"{p}.") for p in personal)]
    return {f"write.metadata.metrics.column.{name}": "none" for name in names}


def _ids(number: int, kind: IcebergType) -> object:
    nested: dict[str, object] = {}
    match kind:
        case ListType():
            nested = {"element": _ids(kind.element_id, kind.element_type)}
        case MapType():
            nested = {"key": _ids(kind.key_id, kind.key_type), "value": _ids(kind.value_id, kind.value_type)}
        case StructType():
            nested = {f.name: _ids(f.field_id, f.field_type) for f in kind.fields}
    return {"__duckdb_field_id": number, **nested} if nested else number


def _same(one: IcebergType, other: IcebergType) -> bool:
    return duckdb_type(one) == duckdb_type(other)


def _widened(dataset: str, field: NestedField, wanted: IcebergType) -> NestedField:
    try:
        widened = promote(field.field_type, wanted)
    except ResolveError as error:
        raise DefinitionError(
            "warehouse.column_change",
            dataset=dataset,
            column=field.name,
            found=duckdb_type(field.field_type),
            wanted=duckdb_type(wanted),
        ) from error
    return NestedField(field.field_id, field.name, widened, required=False)


def _with_ids(types: Mapping[str, IcebergType], kept: Mapping[str, NestedField], ids: Iterator[int]) -> Schema:
    fields = []
    for name, kind in types.items():
        if name in kept:
            fields.append(kept[name])
        else:
            fresh = assign_fresh_schema_ids(Schema(NestedField(1, name, kind, required=False)), lambda: next(ids))
            fields.append(fresh.fields[0])
    return Schema(*fields)


def _unpublished(metadata: TableMetadata) -> Iterator[Schema]:
    """Schemas that only candidates have used, and whose new columns have never been seen on ``main``."""
    history = {s.schema_id for s in ancestors_of(metadata.current_snapshot(), metadata)}
    seen = {i for s in metadata.schemas if s.schema_id in history for i in s.field_ids}
    current = set(metadata.schema().field_ids)
    for schema in metadata.schemas:
        if schema.schema_id not in history and not (set(schema.field_ids) - current) & seen:
            yield schema


def _is(schema: Schema, types: Mapping[str, IcebergType], kept: Mapping[str, NestedField]) -> bool:
    if [f.name for f in schema.fields] != list(types):
        return False
    return all(
        _same(f.field_type, types[f.name]) and (f.name not in kept or f.field_id == kept[f.name].field_id)
        for f in schema.fields
    )
