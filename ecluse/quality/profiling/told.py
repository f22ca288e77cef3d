"""A profile as JSON: for machines, and with fewer values for the log."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import date
from typing import Any

from ecluse.quality.profiling.found import ColumnProfile, Profile, TableProfile

#: What is a value of the data, or could lead to one.
_VALUES = ("minimum", "maximum", "mean", "deviation", "quantiles", "frequent", "shapes", "pattern")


def as_data(profile: Profile, lang: str | None = None) -> dict[str, Any]:
    """The whole profile; remarks in words too."""
    return {
        "tables": [_table(table, lang) for table in profile.tables],
        "references": [{**_fields(r), "share": r.share} for r in profile.references],
    }


def counts_of(table: TableProfile) -> dict[str, Any]:
    """One table as the log keeps it: counts, and values of columns that are classified public only."""
    found = _table(table, "en")
    for told, column in zip(found["columns"], table.columns, strict=True):
        del told["remarks"]
        if column.classification != "public":
            for name in _VALUES:
                del told[name]
    return {
        name: found[name]
        for name in ("rows", "keys", "duplicates", "duplicates_exact", "looked_at", "uncomputed", "columns")
    }


def _table(table: TableProfile, lang: str | None) -> dict[str, Any]:
    return {
        **_fields(table),
        "columns": [_column(column, lang) for column in table.columns],
        "remarks": _remarks(table, lang),
    }


def _column(column: ColumnProfile, lang: str | None) -> dict[str, Any]:
    quantiles = [{"share": share, "value": _plain(value)} for share, value in column.quantiles]
    return {**_fields(column), "quantiles": quantiles, "remarks": _remarks(column, lang)}


def _remarks(found: ColumnProfile | TableProfile, lang: str | None) -> list[dict[str, Any]]:
    return [{"key": r.key, "doubtful": r.doubtful, "text": r.text(lang)} for r in found.remarks]


def _fields(found: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(found, f.name)) for f in fields(found)}


def _plain(value: Any) -> Any:
    """``value`` as JSON knows it; what JSON's numbers can't hold is text."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        return _fields(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)
