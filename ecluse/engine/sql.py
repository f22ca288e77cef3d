"""Names and values as DuckDB SQL text."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Decimal


def quote(name: str) -> str:
    """``name`` as an SQL identifier.

    >>> quote("flight id")
    '"flight id"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """``value`` as an SQL literal; ``TypeError`` for a type that has none.

    >>> literal("it's"), literal(None), literal(1.5)
    ("'it''s'", 'NULL', '1.5::DOUBLE')
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"{value!r}::DOUBLE" if math.isfinite(value) else f"'{value}'::DOUBLE"
        case Decimal():
            return f"{value:f}"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value.isoformat(' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case time():
            return f"TIME '{value.isoformat()}'"
        case list() | tuple():
            return "[" + ", ".join(literal(v) for v in value) + "]"
    raise TypeError(f"{type(value).__name__} has no SQL literal")
