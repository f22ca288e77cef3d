"""The rows that a suite is asked of: a relation of the engine, its columns and their kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ecluse import texts
from ecluse.engine.sql import quote
from ecluse.quality.shortcuts import never

if TYPE_CHECKING:
    from ecluse.engine import Engine

Kind = Literal["text", "integer", "float", "decimal", "bool", "date", "timestamp", "timestamptz", "other"]

#: Names that no column of data has: a row's position from 0, and the size of its group of equal keys.
POSITION, COPIES = "_ecluse_position", "_ecluse_copies"

_KINDS: dict[str, Kind] = {
    "VARCHAR": "text",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "FLOAT": "float",
    "DOUBLE": "float",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
}
#: Kinds whose values compare with each other.
FAMILIES: dict[Kind, str] = {
    "integer": "number",
    "float": "number",
    "decimal": "number",
    "date": "time",
    "timestamp": "time",
    "timestamptz": "time",
}


class Unknown(Exception):
    """The planner has no SQL that provably means the same: GX computes it."""


class CannotCompute(Exception):
    """Nobody can compute it; the message says why, in words for people."""


def every(*conditions: str | None) -> str:
    """SQL that is true where all conditions are.

    >>> every("a > 1", None, "true", "b > 1"), every()
    ('a > 1 AND b > 1', 'true')
    """
    return " AND ".join(c for c in conditions if c and c != "true") or "true"


def numbered(relation: str) -> str:
    """``relation`` with each row's position from 0, in the order of the data."""
    return f"(SELECT *, row_number() OVER () - 1 AS {quote(POSITION)} FROM {relation})"


class Batch:
    """One relation (anything that can follow ``FROM``), which must give the same rows in the same order each time.

    ``hidden`` columns are there but not promised: expectations about the table as a whole don't see them.
    ``frame`` is the pandas frame that GX's own engine gets where the data came as one; ``opaque`` names its columns
    of Python objects that have no SQL type. ``types`` are the columns' SQL types and ``rows`` their number, where they
    are known already.
    """

    def __init__(
        self,
        engine: Engine,
        relation: str,
        *,
        hidden: Iterable[str] = (),
        frame: Any = None,
        opaque: Iterable[str] = (),
        types: Mapping[str, str] | None = None,
        rows: int | None = None,
    ) -> None:
        self.engine = engine
        self.relation = relation
        self.types = engine.describe(f"SELECT * FROM {relation}") if types is None else dict(types)
        self.hidden = frozenset(hidden)
        self.columns = [c for c in self.types if c not in self.hidden]
        self.frame = frame
        self.opaque = set(opaque)
        self._found: dict[str, list[tuple[Any, ...]]] = {}
        #: What was planned, as (kind of pass, what it computes), and who asked for it; ``asking`` is who asks now.
        self.notes: dict[tuple[str, str], dict[str, None]] = {}
        self.asking = ""
        self.known_rows = rows

    @property
    def rows(self) -> int:
        """How many rows there are; counted where nobody said it."""
        if self.known_rows is None:
            self.known_rows = int(self.once(f"SELECT count(*) FROM {self.relation}")[0][0])
        return self.known_rows

    def note(self, kind: str, what: str) -> None:
        """Remember, for an explanation, what is planned for whoever is asking."""
        self.notes.setdefault((kind, what), {})[self.asking] = None

    def once(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement about the batch, run once however often it is asked."""
        if sql not in self._found:
            self._found[sql] = self.engine.rows(sql)
        return self._found[sql]

    def kind(self, column: str) -> Kind:
        """What values ``column`` holds; ``CannotCompute`` with the columns there are where it is missing."""
        if column not in self.types:
            known = ", ".join(self.columns)
            raise CannotCompute(texts.say("quality.missing_column", column=column, columns=known))
        if column in self.opaque:
            raise Unknown("Python objects without an SQL type")
        type_ = self.types[column]
        return "decimal" if type_.startswith("DECIMAL") else _KINDS.get(type_, "other")

    def family(self, column: str) -> str:
        """``number``, ``time``, ``text``, ``bool`` or ``other``: columns of one family compare."""
        kind = self.kind(column)
        return FAMILIES.get(kind, kind)

    def missing(self, column: str) -> str:
        """SQL that is true where ``column`` holds no value. NaN is none, as pandas and GX see it.

        It is ``false`` where the files' statistics prove that every row has a value.
        """
        gaps = self._gaps(column)
        return f"({' OR '.join(gaps)})" if gaps else "false"

    def present(self, column: str) -> str:
        """SQL that is true where ``column`` holds a value."""
        missing = self.missing(column)
        return "true" if missing == "false" else f"NOT {missing}"

    def value(self, column: str) -> str:
        """SQL for ``column`` with NaN as null, so that equal means equal."""
        name = quote(column)
        return f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if f"isnan({name})" in self._gaps(column) else name

    def _gaps(self, column: str) -> list[str]:
        """How ``column`` can lack a value, as far as statistics tell."""
        name = quote(column)
        ways = {f"{name} IS NULL": f"{name} IS NULL"}
        if self.kind(column) == "float":
            # NOTE: statistics answer the comparison also where some values are null, and the function not.
            ways[f"isnan({name})"] = f"{name} = 'NaN'::{self.types[column]}"
        return [way for way, asked in ways.items() if not never(self, asked)]

    @property
    def numbered(self) -> str:
        """The relation with each row's position from 0, in the order of the data."""
        return numbered(self.relation)

    def to_pandas(self, sql: str | None = None, *, limit: int | None = None) -> Any:
        """Rows as the pandas frame that GX gets: nullable integers and booleans, text as Python strings.

        Plain pandas would turn integers with nulls into floats (ids above 2^53 lose digits) and match regular
        expressions with RE2 in place of Python's ``re``.
        """
        import pandas as pd
        import pyarrow as pa

        if self.frame is not None and sql is None:
            # A copy, because GX changes decimals in place.
            return self.frame.copy(deep=False) if limit is None else self.frame.head(limit)
        tail = "" if limit is None else f" LIMIT {limit}"
        table = self.engine.arrow((sql or f"SELECT * FROM {self.relation}") + tail)
        nullable = {
            pa.int8(): pd.Int8Dtype(),
            pa.int16(): pd.Int16Dtype(),
            pa.int32(): pd.Int32Dtype(),
            pa.int64(): pd.Int64Dtype(),
            pa.uint8(): pd.UInt8Dtype(),
            pa.uint16(): pd.UInt16Dtype(),
            pa.uint32(): pd.UInt32Dtype(),
            pa.uint64(): pd.UInt64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
        }
        frame = table.to_pandas(types_mapper=nullable.get)
        for name, type_ in zip(table.column_names, table.schema.types, strict=True):
            if pa.types.is_string(type_) or pa.types.is_large_string(type_):
                frame[name] = frame[name].astype(object)
        return frame
