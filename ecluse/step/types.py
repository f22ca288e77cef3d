"""Compares what a step computed with what its contract promises, column by column."""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.engine import quote
from ecluse.errors import BrokenData
from ecluse.model.contract import Contract
from ecluse.model.names import ORIGIN

#: Types that widen into others without a value being lost or changed. HUGEINT is what DuckDB's ``sum`` gives for
#: whole numbers: it narrows to BIGINT, and a value that doesn't fit is an error, never a wrong number.
_WIDENS: Mapping[str, frozenset[str]] = {
    "BOOLEAN": frozenset(),
    "TINYINT": frozenset({"SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT"}),
    "UTINYINT": frozenset({"SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT"}),
    "SMALLINT": frozenset({"INTEGER", "BIGINT", "DOUBLE", "FLOAT"}),
    "USMALLINT": frozenset({"INTEGER", "BIGINT", "DOUBLE"}),
    "INTEGER": frozenset({"BIGINT", "DOUBLE"}),
    "UINTEGER": frozenset({"BIGINT", "DOUBLE"}),
    "BIGINT": frozenset(),
    "UBIGINT": frozenset({"BIGINT"}),
    "HUGEINT": frozenset({"BIGINT"}),
    "FLOAT": frozenset({"DOUBLE"}),
    "TIMESTAMP_S": frozenset({"TIMESTAMP"}),
    "TIMESTAMP_MS": frozenset({"TIMESTAMP"}),
    "TIMESTAMP_NS": frozenset({"TIMESTAMP"}),
    "DATE": frozenset({"TIMESTAMP"}),
}
_SAME = {
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "INT8": "BIGINT",
    "LONG": "BIGINT",
    "INT2": "SMALLINT",
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "BOOL": "BOOLEAN",
    "REAL": "FLOAT",
    "FLOAT4": "FLOAT",
    "FLOAT8": "DOUBLE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}


def normal(type_: str) -> str:
    """A DuckDB type under its main name.

    >>> normal("timestamptz")
    'TIMESTAMP WITH TIME ZONE'
    """
    upper = " ".join(type_.upper().split())
    return _SAME.get(upper, upper)


def fits(found: str, promised: str) -> bool:
    """Whether values of one type can stand where another is promised without a loss that goes unseen."""
    found, promised = normal(found), normal(promised)
    return found in (promised, '"NULL"') or promised in _WIDENS.get(found, frozenset())


def cast_to_contract(computed: Mapping[str, str], contract: Contract, dataset: str) -> tuple[str, dict[str, str]]:
    """The SELECT list that gives exactly the promised columns in their order, and their types.

    A missing or unlisted column, or one of a type that doesn't fit, is ``BrokenData``.
    """
    promised = {c.name: c.type for c in contract.columns}
    missing = [n for n in promised if n not in computed]
    unlisted = [n for n in computed if n not in promised and n != ORIGIN]
    if missing or unlisted:
        raise BrokenData(
            "step.columns",
            dataset=dataset,
            missing=", ".join(missing) or "–",
            unlisted=", ".join(unlisted) or "–",
            promised=", ".join(promised),
        )
    for name, type_ in promised.items():
        if not fits(computed[name], type_):
            raise BrokenData("step.column_type", dataset=dataset, column=name, found=computed[name], promised=type_)
    casts = [_cast(n, computed[n], t) for n, t in promised.items()]
    return ", ".join(casts), promised


def _cast(name: str, found: str, promised: str) -> str:
    column = quote(name)
    if normal(found) == normal(promised):
        return column
    cast = f"CAST({column} AS {promised})"
    if normal(found) == "TIMESTAMP_NS":
        # NOTE: pandas counts nanoseconds; the cast alone would cut off what a microsecond can't hold.
        cast = f"CASE WHEN epoch_ns({column}) % 1000 <> 0 THEN error('nanoseconds') ELSE {cast} END"
    return f"{cast} AS {column}"
