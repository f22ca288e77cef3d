"""What is worth knowing before a column is used, in plain words: the suitability report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from ecluse.quality.profiling.found import ColumnProfile, Remark, TableProfile

#: What a text column had better be, by the format of its texts.
_FORMATS_AS_TEXT = {
    "integer": "numbers_as_text",
    "number": "numbers_as_text",
    "iso_date": "times_as_text",
    "iso_time": "times_as_text",
}
#: Texts that stand for a value that isn't there.
_ABSENT = frozenset({"na", "n/a", "nan", "null", "none", "nil", "-", "--", "?", "unknown", "inconnu", "#n/a"})
_PLACEHOLDERS = (date(1900, 1, 1), date(1970, 1, 1), date(9999, 12, 31), date(1899, 12, 30))


def remarked(table: TableProfile) -> TableProfile:
    """The table with remarks on each of its columns, and on itself."""
    columns = tuple(replace(column, remarks=tuple(_column(column, table))) for column in table.columns)
    return replace(table, columns=columns, remarks=tuple(_table(table)))


def _table(table: TableProfile) -> Iterator[Remark]:
    if table.uncomputed:
        yield Remark("uncomputed", {"what": ", ".join(sorted(table.uncomputed))}, doubtful=True)
    if not table.rows:
        yield Remark("no_rows", doubtful=True)
        return
    if not table.keys and table.rows > 1 and "keys" not in table.uncomputed:
        yield Remark("no_key", doubtful=True)
    if table.duplicates:
        key = "duplicates" if table.duplicates_exact else "duplicates_about"
        yield Remark(key, {"count": table.duplicates, "share": _percent(table.duplicates / table.rows)}, doubtful=True)


def _column(column: ColumnProfile, table: TableProfile) -> Iterator[Remark]:
    if column.uncomputed:
        yield Remark("uncomputed", {"what": ", ".join(sorted(column.uncomputed))}, doubtful=True)
    if not column.rows or column.present is None:
        return
    if not column.present:
        yield Remark("empty", doubtful=True)
        return
    found = [remark for rule in _RULES for remark in rule(column, table)]
    if not found and not column.uncomputed:
        found = [Remark("fine")]
    yield from found


def _role(column: ColumnProfile, table: TableProfile) -> Iterator[Remark]:
    if (column.name,) in table.keys:
        yield Remark("key")
    elif column.constant and column.rows > 1:
        yield Remark("constant", doubtful=True)
    elif column.distinct_exact and column.distinct and not column.unique and column.present:
        repeated = column.present - column.distinct
        if column.distinct >= 0.99 * column.present and column.kind in ("integer", "text"):
            yield Remark("nearly_key", {"count": repeated}, doubtful=True)


def _people(column: ColumnProfile, _: TableProfile) -> Iterator[Remark]:
    if column.classification in ("personal", "sensitive"):
        yield Remark("classified", {"as": column.classification})
    elif column.withheld:
        yield Remark("looks_personal", doubtful=True)


def _gaps(column: ColumnProfile, _: TableProfile) -> Iterator[Remark]:
    share = column.share or 0
    if share < 0.5:
        yield Remark("mostly_empty", {"share": _percent(share)}, doubtful=True)
    elif share < 1:
        yield Remark("gaps", {"share": _percent(1 - share)})
    if column.empty:
        yield Remark("empty_texts", {"count": column.empty}, doubtful=True)
    absent = sum(f.count for f in column.frequent if isinstance(f.value, str) and f.value.strip().lower() in _ABSENT)
    if absent:
        yield Remark(
            "absent_texts", {"count": absent, "share": _percent(absent / (column.present or 1))}, doubtful=True
        )
    if column.nan:
        yield Remark("nan", {"count": column.nan}, doubtful=True)
    if column.infinite:
        yield Remark("infinite", {"count": column.infinite}, doubtful=True)


def _type(column: ColumnProfile, _: TableProfile) -> Iterator[Remark]:
    form = column.format
    if form is not None and form.name in _FORMATS_AS_TEXT:
        yield Remark(_FORMATS_AS_TEXT[form.name], {"share": _percent(form.share)}, doubtful=True)
    elif form is not None and form.share < 1:
        yield Remark("other_formats", {"format": form.name, "share": _percent(1 - form.share)}, doubtful=True)


def _spread(column: ColumnProfile, _: TableProfile) -> Iterator[Remark]:
    ranks = dict(column.quantiles)
    if column.kind in ("integer", "float", "decimal") and ranks and None not in ranks.values():
        low, high = float(ranks[0.05]), float(ranks[0.95])
        reach = 5 * (high - low)
        ends = [float(v) for v in (column.minimum, column.maximum) if v is not None and math.isfinite(v)]
        if math.isfinite(reach) and reach and any(v < low - reach or v > high + reach for v in ends):
            yield Remark("far_ends", doubtful=True)
    if any(_day(value) in _PLACEHOLDERS for value in (column.minimum, column.maximum)):
        yield Remark("placeholder", doubtful=True)
    if column.frequent and column.present and not column.constant:
        share = column.frequent[0].count / column.present
        if share >= 0.95 and column.rows >= 20:
            yield Remark("one_value", {"share": _percent(share)}, doubtful=True)


def _use(column: ColumnProfile, _: TableProfile) -> Iterator[Remark]:
    if column.order is not None and column.kind in ("date", "timestamp", "timestamptz"):
        yield Remark("in_order")
    few = column.distinct is not None and column.distinct_exact and 1 < column.distinct <= 50
    if few and column.kind == "text" and column.present and column.present >= 10 * (column.distinct or 0):
        yield Remark("category", {"count": column.distinct})


_RULES: tuple[Callable[[ColumnProfile, TableProfile], Iterator[Remark]], ...] = (
    _role,
    _people,
    _gaps,
    _type,
    _spread,
    _use,
)


def _percent(share: float) -> float:
    """Per cent with few digits, and never 0 or 100 for what is more or less."""
    return round(min(max(share * 100, 0.01), 99.99), 2 if share < 0.01 or share > 0.99 else 1)


def _day(value: Any) -> Any:
    return value.date() if hasattr(value, "date") else value
