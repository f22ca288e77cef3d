"""Reads text as a type, exactly or not at all.

DuckDB's own casts are generous: as BIGINT ``1.5`` becomes 2, as DATE a time of day is dropped, as TIMESTAMP an
offset is dropped. Here a text that doesn't state a value of the type, in full, gives NULL, and its row is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecluse.engine import Engine, EngineError, literal
from ecluse.errors import DefinitionError
from ecluse.model.contract import Contract

_WHOLE = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
}
_FLOAT = {"FLOAT", "DOUBLE"}
_OTHER = {"BOOLEAN", "UUID", "BLOB"}
_DECIMAL = re.compile(r"^DECIMAL\((\d+),(\d+)\)$")
_FRACTION = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP": 6, "TIMESTAMP_NS": 9, "TIMESTAMP WITH TIME ZONE": 6}
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def canonical_types(engine: Engine, contract: Contract) -> dict[str, str]:
    """The contract's columns with DuckDB's own spelling of their types, in order."""
    found: dict[str, str] = {}
    for column in contract.columns:
        try:
            found[column.name] = next(iter(engine.describe(f"SELECT NULL::{column.type} AS c").values()))
        except EngineError as error:
            raise DefinitionError("sources.type", column=column.name, type=column.type) from error
    return found


def refuse_unread(types: Mapping[str, str]) -> None:
    """``DefinitionError`` for a type that text can't state in one exact way (lists, structs, intervals, …)."""
    for name, type in types.items():
        simple = is_number(type) or type in _OTHER | {"VARCHAR", "DATE", "TIME", "JSON"} or type in _FRACTION
        if not simple and not type.startswith("ENUM("):
            raise DefinitionError("sources.type_unread", column=name, type=type)


def is_number(type: str) -> bool:
    """Whether a type holds numbers."""
    return type in _WHOLE | _FLOAT or _DECIMAL.match(type) is not None


def family(type: str) -> str:
    """Types of one family convert into each other without a guess about what is meant."""
    if is_number(type):
        return "number"
    if type in _FRACTION and not type.endswith("ZONE"):
        return "time"
    return "time" if type == "DATE" else type


def strict_cast(text: str, type: str) -> str:
    """SQL for the value that the SQL expression ``text`` states, NULL where it doesn't state one of ``type``."""
    if type == "VARCHAR":
        return text
    cast = f"TRY_CAST({text} AS {type})"
    # A value that prints as the text it was read from lost nothing; the costlier patterns are for the others.
    same = f"{cast}::VARCHAR = {text}"
    if type in _WHOLE:
        return f"CASE WHEN {same} OR {_matches(text, '[+-]?[0-9]+([.]0*)?')} THEN {cast} END"
    if type in _FLOAT:
        number = _matches(text, "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
        word = _matches(text, "(?i)(nan|[+-]?inf(inity)?)")
        return f"CASE WHEN {same} OR ({number} AND NOT isinf({cast})) OR {word} THEN {cast} END"
    if found := _DECIMAL.match(type):
        return f"CASE WHEN {_matches(text, f'[+-]?[0-9]*([.][0-9]{{0,{found[2]}}}0*)?')} THEN {cast} END"
    if type == "JSON":
        return f"CASE WHEN json_valid({text}) THEN {text}::JSON END"
    if type == "DATE":
        return f"CASE WHEN {_matches(text, _DAY)} THEN {cast} END"
    if type == "TIME":
        return f"CASE WHEN {_matches(text, _clock(6))} THEN {cast} END"
    if type in _FRACTION:
        clock = _clock(_FRACTION[type])
        zoned = f"{_DAY}[T ]{clock}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)"
        plain = f"{_DAY}([T ]{clock}(Z|[+]00(:?00)?)?)?"
        return f"CASE WHEN {_matches(text, zoned if type.endswith('ZONE') else plain)} THEN {cast} END"
    return cast


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match(trim({text}), {literal(pattern)})"


def _clock(digits: int) -> str:
    fraction = f"([.][0-9]{{0,{digits}}}0*)?"
    return f"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]{fraction})?"
