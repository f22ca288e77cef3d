"""DuckDB's column types and Iceberg's, there and back."""

from __future__ import annotations

import itertools
import re

from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    PrimitiveType,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from ecluse.engine import quote

_PAIRS: tuple[tuple[str, PrimitiveType], ...] = (
    ("BOOLEAN", BooleanType()),
    ("INTEGER", IntegerType()),
    ("BIGINT", LongType()),
    ("FLOAT", FloatType()),
    ("DOUBLE", DoubleType()),
    ("VARCHAR", StringType()),
    ("BLOB", BinaryType()),
    ("DATE", DateType()),
    ("TIME", TimeType()),
    ("TIMESTAMP", TimestampType()),
    ("TIMESTAMP WITH TIME ZONE", TimestamptzType()),
    ("UUID", UUIDType()),
)
_TO_ICEBERG = dict(_PAIRS)
_TO_DUCKDB = {iceberg: duck for duck, iceberg in _PAIRS}

_ALIASES = {
    "BOOL": "BOOLEAN",
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "SIGNED": "INTEGER",
    "INT8": "BIGINT",
    "LONG": "BIGINT",
    "REAL": "FLOAT",
    "FLOAT4": "FLOAT",
    "FLOAT8": "DOUBLE",
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "CHAR": "VARCHAR",
    "BPCHAR": "VARCHAR",
    "BYTEA": "BLOB",
    "BINARY": "BLOB",
    "VARBINARY": "BLOB",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "DECIMAL": "DECIMAL(18,3)",
    "NUMERIC": "DECIMAL(18,3)",
}
_DECIMAL = re.compile(r"^(?:DECIMAL|NUMERIC)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$", re.IGNORECASE)
_NESTED = re.compile(r"^(STRUCT|MAP)\s*\((.*)\)$", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r'^(?:"((?:[^"]|"")+)"|([A-Za-z_]\w*))\s+(.+)$', re.DOTALL)

#: Types whose every value the wider type holds exactly; a query may give them where a table has the wider one.
_SMALL = ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT")
_WIDER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_SMALL, ("INTEGER", "BIGINT", "DOUBLE")),
    "INTEGER": ("BIGINT", "DOUBLE"),
    "UINTEGER": ("BIGINT", "DOUBLE"),
    "FLOAT": ("DOUBLE",),
    "JSON": ("VARCHAR",),
    "ENUM": ("VARCHAR",),
}


class UnknownType(ValueError):
    """A DuckDB type that Iceberg has no equal of."""


def iceberg_type(duckdb: str) -> IcebergType:
    """The Iceberg type that holds every value of a DuckDB type; ``UnknownType`` where there is none.

    Ids of nested fields count from 1 and are placeholders: a schema gives them their own.

    >>> str(iceberg_type("DECIMAL(9,2)")), str(iceberg_type("VARCHAR[]"))
    ('decimal(9, 2)', 'list<string>')
    """
    return _parsed(duckdb, itertools.count(1))


def _parsed(text: str, ids: itertools.count[int]) -> IcebergType:
    text = text.strip()
    name = " ".join(text.upper().split())
    name = _ALIASES.get(name, name)
    if name in _TO_ICEBERG:
        return _TO_ICEBERG[name]
    if text.endswith("[]"):
        return ListType(element_id=next(ids), element=_parsed(text[:-2], ids), element_required=False)
    if found := _DECIMAL.match(name):
        return DecimalType(int(found[1]), int(found[2] or 0))
    if nested := _NESTED.match(text):
        kind, parts = nested[1].upper(), _split(nested[2])
        if kind == "MAP" and len(parts) == 2:
            key, value = (_parsed(part, ids) for part in parts)
            return MapType(key_id=next(ids), key_type=key, value_id=next(ids), value_type=value, value_required=False)
        if kind == "STRUCT":
            return StructType(*(_struct_field(part, ids) for part in parts))
    raise UnknownType(text)


def _struct_field(text: str, ids: itertools.count[int]) -> NestedField:
    found = _FIELD.match(text.strip())
    if not found:
        raise UnknownType(text)
    name = found[1].replace('""', '"') if found[1] else found[2]
    return NestedField(next(ids), name, _parsed(found[3], ids), required=False)


def _split(text: str) -> list[str]:
    """``text`` cut at the commas that stand outside of parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char == ",":
            if depth == 0:
                parts.append(text[start:place])
                start = place + 1
        else:
            depth += (char == "(") - (char == ")")
    return [*parts, text[start:]]


def duckdb_type(iceberg: IcebergType) -> str:
    """The DuckDB type of an Iceberg type, as ``DESCRIBE`` writes it.

    >>> duckdb_type(iceberg_type("STRUCT(a INT, b TEXT[])"))
    'STRUCT("a" INTEGER, "b" VARCHAR[])'
    """
    match iceberg:
        case DecimalType():
            return f"DECIMAL({iceberg.precision},{iceberg.scale})"
        case ListType():
            return f"{duckdb_type(iceberg.element_type)}[]"
        case MapType():
            return f"MAP({duckdb_type(iceberg.key_type)}, {duckdb_type(iceberg.value_type)})"
        case StructType():
            return f"STRUCT({', '.join(f'{quote(f.name)} {duckdb_type(f.field_type)}' for f in iceberg.fields)})"
        case FixedType():
            return "BLOB"
        case PrimitiveType() if iceberg in _TO_DUCKDB:
            return _TO_DUCKDB[iceberg]
    raise UnknownType(str(iceberg))


def fits(given: str, wanted: IcebergType) -> bool:
    """Whether a query's column of DuckDB type ``given`` can be stored as ``wanted`` as it is."""
    try:
        return duckdb_type(iceberg_type(given)) == duckdb_type(wanted)
    except UnknownType:
        return False


def widens(given: str, wanted: IcebergType) -> bool:
    """Whether every value of DuckDB type ``given`` is exactly a value of ``wanted``."""
    if given.strip('"') == "NULL":
        return True
    if isinstance(wanted, DecimalType):
        found = _DECIMAL.match(given)
        return found is not None and int(found[2] or 0) == wanted.scale and int(found[1]) <= wanted.precision
    name = given.split("(", maxsplit=1)[0].strip().upper()
    return isinstance(wanted, PrimitiveType) and duckdb_type(wanted) in _WIDER.get(name, ())
