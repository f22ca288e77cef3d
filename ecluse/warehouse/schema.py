"""A table's schema: made from a contract's columns, changed without touching what is published."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from pyiceberg.exceptions import ResolveError
from pyiceberg.schema import Schema, assign_fresh_schema_ids, promote
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from ecluse.errors import DefinitionError
from ecluse.warehouse.types import UnknownType, duckdb_type, iceberg_type

#: The table property that holds the largest field id that ``main`` ever showed: no such id is given to a new column.
PUBLISHED = "ecluse.published-column-id"


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


def evolved_schema(
    dataset: str,
    metadata: TableMetadata,
    types: Mapping[str, IcebergType],
    renamed: Mapping[str, Sequence[str]],
) -> Schema:
    """The schema in which ``main`` would hold these columns; its id tells whether the table knows it already.

    A column keeps its field id, also when its type is widened, and when ``renamed`` says what it was called before.
    A new column gets an id that ``main`` never showed, so that values of a column once dropped can't come back under
    the same name. ``DefinitionError`` where a type narrows, or a column has both its new and an old name.
    """
    current = metadata.schema()
    kept: dict[str, NestedField] = {}
    for name, wanted in types.items():
        field = _published_as(dataset, current, name, renamed.get(name, ()))
        if field is not None:
            kept[name] = (
                _named(field, name) if _same(field.field_type, wanted) else _widened(dataset, field, name, wanted)
            )
    mark = published_id(metadata)
    for known in (current, *metadata.schemas):
        if _is(known, types, kept, mark):
            return known
    made = _with_ids(types, kept, itertools.count(metadata.last_column_id + 1))
    return Schema(*made.fields, schema_id=max(s.schema_id for s in metadata.schemas) + 1)


def published_id(metadata: TableMetadata) -> int:
    """The largest field id that ``main`` may ever have shown, to readers of other engines too."""
    log = {entry.snapshot_id for entry in metadata.snapshot_log}
    shown = {s.schema_id for s in metadata.snapshots if s.snapshot_id in log} | {metadata.current_schema_id}
    known = max(s.highest_field_id for s in metadata.schemas if s.schema_id in shown)
    # NOTE: schemas of expired snapshots tell nothing any more, and a table that others made has no mark.
    return max(known, int(metadata.properties.get(PUBLISHED, metadata.last_column_id)))


def extends(today: Schema, known: Schema) -> bool:
    """Whether every column of ``known`` stands in ``today`` as it was: the same field under the same name and type."""
    there = {field.field_id: field for field in today.fields}
    return all(
        field.field_id in there
        and there[field.field_id].name == field.name
        and _same(there[field.field_id].field_type, field.field_type)
        for field in known.fields
    )


def widens(before: str, after: str) -> bool | None:
    """Whether a column of one DuckDB type may become one of another; ``None`` where both name the same type.

    >>> widens("INTEGER", "BIGINT"), widens("BIGINT", "INTEGER"), widens("int", "INTEGER")
    (True, False, None)
    """
    try:
        one, other = iceberg_type(before), iceberg_type(after)
        if _same(one, other):
            return None
        promote(one, other)
    except (UnknownType, ResolveError):
        return False
    return True


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


def _published_as(dataset: str, current: Schema, name: str, earlier: Sequence[str]) -> NestedField | None:
    """The field that ``main`` shows under a column's name or, before its renaming, under an earlier one."""
    found = [field for field in current.fields if field.name == name or field.name in earlier]
    if len(found) > 1:
        others = ", ".join(field.name for field in found if field.name != name)
        raise DefinitionError("warehouse.column_renamed", dataset=dataset, column=name, others=others)
    return found[0] if found else None


def _named(field: NestedField, name: str) -> NestedField:
    return field if field.name == name else NestedField(field.field_id, name, field.field_type, required=False)


def _widened(dataset: str, field: NestedField, name: str, wanted: IcebergType) -> NestedField:
    try:
        widened = promote(field.field_type, wanted)
    except ResolveError as error:
        raise DefinitionError(
            "warehouse.column_change",
            dataset=dataset,
            column=name,
            found=duckdb_type(field.field_type),
            wanted=duckdb_type(wanted),
        ) from error
    return NestedField(field.field_id, name, widened, required=False)


def _with_ids(types: Mapping[str, IcebergType], kept: Mapping[str, NestedField], ids: Iterator[int]) -> Schema:
    fields = []
    for name, kind in types.items():
        if name in kept:
            fields.append(kept[name])
        else:
            fresh = assign_fresh_schema_ids(Schema(NestedField(1, name, kind, required=False)), lambda: next(ids))
            fields.append(fresh.fields[0])
    return Schema(*fields)


def _is(schema: Schema, types: Mapping[str, IcebergType], kept: Mapping[str, NestedField], mark: int) -> bool:
    """Whether a schema has these columns in this order, kept ones under their ids and new ones under new ids.

    NOTE: a schema that another candidate brought is shared, so that runs on many partitions can make one change.
    """
    if [f.name for f in schema.fields] != list(types):
        return False
    return all(
        _same(f.field_type, types[f.name])
        and (f.field_id == kept[f.name].field_id if f.name in kept else f.field_id > mark)
        for f in schema.fields
    )
