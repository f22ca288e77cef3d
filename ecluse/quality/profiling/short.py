"""The values of a column on one line, for a table on the terminal or on a page."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ecluse import texts
from ecluse.quality.profiling.found import ColumnProfile

_FREQUENT, _LONGEST = 4, 40


def values_text(column: ColumnProfile, lang: str | None = None) -> str:
    """What values there are: extremes and median of numbers and times, the most frequent or the shapes of texts."""
    if column.kind == "text" or (column.frequent and column.kind == "bool"):
        return _texts(column, lang)
    if column.minimum is None:
        return "–"
    if column.constant:
        return shown(column.minimum, lang)
    middle = [value for share, value in column.quantiles if share == 0.5]
    return " … ".join(shown(value, lang) for value in (column.minimum, *middle, column.maximum))


def _texts(column: ColumnProfile, lang: str | None) -> str:
    parts = []
    if column.frequent and column.present and column.distinct_exact:
        often = [
            f"{shown(f.value, lang)} {percent(f.count / column.present, lang)}" for f in column.frequent[:_FREQUENT]
        ]
        more = (column.distinct or 0) - len(often)
        parts.append(", ".join(often) + (" …" if more > 0 else ""))
    elif column.format is not None:
        parts.append(texts.say(f"quality.formats.{column.format.name}", lang=lang))
    elif column.shapes:
        parts.append(", ".join(f"{s.text} {percent(s.share, lang)}" for s in column.shapes))
    if column.longest is not None and column.kind == "text":
        same = column.shortest == column.longest
        length = (
            texts.number(column.longest, lang) if same else f"{column.shortest}–{texts.number(column.longest, lang)}"
        )
        parts.append(texts.say("quality.characters", lang=lang, length=length))
    return "; ".join(parts) or "–"


def distinct_text(column: ColumnProfile, lang: str | None = None) -> str:
    """How many different values a column has; a sketch's answer says that it is one."""
    if column.distinct is None:
        return "–"
    return f"{'' if column.distinct_exact else '≈ '}{texts.number(column.distinct, lang)}"


def percent(share: float, lang: str | None = None) -> str:
    r"""A share in per cent. What isn't all is never 100 %, and what is something never 0 %.

    >>> percent(1), percent(0.9999), percent(0.1234, "fr")
    ('100\u202f%', '99.9\u202f%', '12,3\u202f%')
    """
    value = share * 100 if share in (0, 1) else min(max(round(share * 100, 1), 0.1), 99.9)
    return f"{texts.number(int(value) if value == int(value) else value, lang)}\u202f%"


def shown(value: Any, lang: str | None = None) -> str:
    """A value as a person reads it, long ones cut."""
    if isinstance(value, bool):
        return texts.say("quality.yes" if value else "quality.no", lang=lang)
    if isinstance(value, int) and abs(value) < 10_000:
        # A year isn't written in groups.
        return str(value)
    if isinstance(value, (int, float)):
        return texts.number(value, lang)
    if isinstance(value, Decimal):
        return texts.number(float(value), lang)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
