"""What a profile lets one promise: each rule looks at one thing, and says nothing where there is nothing to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ecluse.quality.profiling.found import ColumnProfile, TableProfile
from ecluse.quality.suggesting.bounds import around, known, most_of, outward, since
from ecluse.quality.suggesting.proposal import Proposal

#: Below so many values a regularity is chance.
LEAST = 20
#: A set has so many values at most, each of which occurs so often on average.
SET, OFTEN = 20, 10
_NUMBERS, _TIMES = ("integer", "float", "decimal"), ("date", "timestamp", "timestamptz")
_TYPE = re.compile(r"^[A-Z_]+( [A-Z]+)*(\(\d+,\d+\))?$")

#: The values of columns that have few: all of them.
Sets = Mapping[str, Sequence[Any]]


def propose(table: TableProfile, sets: Sets, references: Mapping[str, tuple[str, Sequence[Any]]]) -> list[Proposal]:
    """Everything that may be promised of a table, what says most first.

    ``sets`` are the values of columns that have few. ``references`` are, by column, the key of another table
    (``table.column``) that all of its values are among, and that key's values.
    """
    found = [proposal for rule in TABLE_RULES for proposal in rule(table)]
    for column in table.columns:
        for rule in COLUMN_RULES:
            found += rule(column, table)
        found += _values(column, sets, references)
    return sorted(found, key=lambda p: -p.rank)


# ---- the table


def _columns(table: TableProfile) -> Iterator[Proposal]:
    names = [column.name for column in table.columns]
    yield Proposal(
        "expect_table_columns_to_match_set",
        {"column_set": names, "exact_match": False},
        "columns",
        {"count": len(names)},
        rank=95,
    )


def _compound(table: TableProfile) -> Iterator[Proposal]:
    for key in table.keys[:1]:
        if len(key) > 1 and table.rows >= LEAST:
            fields = {"columns": " + ".join(key), "rows": table.rows}
            yield Proposal(
                "expect_compound_columns_to_be_unique", {"column_list": list(key)}, "compound", fields, rank=90
            )


def _pairs(table: TableProfile) -> Iterator[Proposal]:
    for pair in table.pairs:
        yield Proposal(
            "expect_column_pair_values_a_to_be_greater_than_b",
            {
                "column_A": pair.high,
                "column_B": pair.low,
                "or_equal": True,
                "ignore_row_if": "either_value_is_missing",
            },
            "pair",
            {"rows": pair.rows},
            rank=70,
        )


def _rows(table: TableProfile) -> Iterator[Proposal]:
    if table.rows >= LEAST:
        low, high = (int(outward(rows, down=rows < table.rows)) for rows in (table.rows / 2, table.rows * 2))
        yield Proposal(
            "expect_table_row_count_to_be_between",
            {"min_value": low, "max_value": high},
            "rows",
            {"rows": table.rows},
            rank=40,
            severity="warning",
        )


# ---- a column


def _type(column: ColumnProfile, _: TableProfile) -> Iterator[Proposal]:
    if column.kind != "other" and _TYPE.match(column.type):
        yield Proposal("expect_column_type_to_be", {"column": column.name, "type_": column.type}, "type", rank=20)


def _filled(column: ColumnProfile, table: TableProfile) -> Iterator[Proposal]:
    share = column.share
    if share is None or not column.present:
        return
    if share == 1:
        fields = {"rows": table.rows}
        yield Proposal("expect_column_values_to_not_be_null", {"column": column.name}, "filled", fields, rank=80)
    elif share >= 0.5 and table.rows >= LEAST:
        yield Proposal(
            "expect_column_values_to_not_be_null",
            {"column": column.name, "mostly": most_of(share)},
            "mostly",
            {"share": round(share * 100, 1)},
            rank=45,
            severity="warning",
        )


def _unique(column: ColumnProfile, table: TableProfile) -> Iterator[Proposal]:
    if not column.unique or column.kind not in ("integer", "text") or (column.present or 0) < 2:
        return
    is_key = table.keys[:1] == ((column.name,),)
    if is_key or (column.present or 0) >= LEAST:
        reason = "key" if is_key else "unique"
        fields = {"count": column.present}
        yield Proposal(
            "expect_column_values_to_be_unique", {"column": column.name}, reason, fields, rank=90 if is_key else 65
        )


def _range(column: ColumnProfile, table: TableProfile) -> Iterator[Proposal]:
    if column.kind not in _NUMBERS or column.minimum is None or (column.name,) in table.keys or column.constant:
        return
    low, high = column.minimum, column.maximum
    asked = {"column": column.name}
    if found := known(column.name, low, high):
        yield _between({**asked, "min_value": found[0], "max_value": found[1]}, "known_range", 60)
    elif column.kind != "integer" and low >= 0 and 0.5 < high <= 1:
        yield _between({**asked, "min_value": 0, "max_value": 1}, "share", 55)
    elif (column.present or 0) >= LEAST:
        bounds = dict(zip(("min_value", "max_value"), around(low, high, whole=column.kind == "integer"), strict=True))
        given = {name: value for name, value in bounds.items() if value is not None}
        if given:
            yield _between({**asked, **given}, "range", 50)


def _between(kwargs: dict[str, Any], reason: str, rank: int) -> Proposal:
    return Proposal("expect_column_values_to_be_between", kwargs, reason, rank=rank, severity="warning")


def _since(column: ColumnProfile, _: TableProfile) -> Iterator[Proposal]:
    if column.kind in _TIMES and column.minimum is not None and (column.present or 0) >= LEAST:
        first = since(column.minimum, column.kind)
        if first is not None:
            yield _between({"column": column.name, "min_value": first}, "since", 40)


#: Rules about the table, and rules about a column.
TABLE_RULES: tuple[Callable[[TableProfile], Iterator[Proposal]], ...] = (_columns, _compound, _pairs, _rows)
COLUMN_RULES: tuple[Callable[[ColumnProfile, TableProfile], Iterator[Proposal]], ...] = (
    _type,
    _filled,
    _unique,
    _range,
    _since,
)


# ---- what values may be: the narrowest of the ways to say it


def _values(
    column: ColumnProfile, sets: Sets, references: Mapping[str, tuple[str, Sequence[Any]]]
) -> Iterator[Proposal]:
    if column.name in references:
        key, values = references[column.name]
        yield _in_set(column, values, "reference", {"key": key}, 75)
    elif column.name in sets:
        values = sets[column.name]
        reason = "constant" if len(values) == 1 else "set"
        yield _in_set(column, values, reason, {"count": len(values), "rows": column.present or 0}, 60)
    elif column.kind == "text" and (column.present or 0) >= LEAST:
        yield from _written(column)


def _in_set(column: ColumnProfile, values: Sequence[Any], reason: str, fields: dict[str, Any], rank: int) -> Proposal:
    kwargs = {"column": column.name, "value_set": list(values)}
    return Proposal("expect_column_values_to_be_in_set", kwargs, reason, fields, rank, "warning")


def _written(column: ColumnProfile) -> Iterator[Proposal]:
    """How texts are written; where there is no pattern, how long they are."""
    name = {"column": column.name}
    if column.pattern:
        format_ = column.format.name if column.format and column.format.share == 1 else None
        fields: dict[str, Any] = {"count": column.looked_at, **({"format": format_} if format_ else {})}
        reason = "format" if format_ else "pattern"
        asked = {**name, "regex": column.pattern}
        yield Proposal("expect_column_values_to_match_regex", asked, reason, fields, 60, "warning")
    elif column.longest and column.shortest == column.longest:
        kwargs: dict[str, Any] = {**name, "value": column.longest}
        yield Proposal(
            "expect_column_value_lengths_to_equal", kwargs, "length", {"length": column.longest}, 55, "warning"
        )
    elif column.longest:
        bounds = {**({"min_value": 1} if column.shortest else {}), "max_value": _longer(column.longest)}
        fields = {"low": column.shortest or 0, "high": column.longest}
        yield Proposal(
            "expect_column_value_lengths_to_be_between", {**name, **bounds}, "lengths", fields, 30, "warning"
        )


def _longer(length: int) -> int:
    """Half as long again, up to the next ten."""
    return -(-length * 3 // 20) * 10


def has_set(column: ColumnProfile) -> bool:
    """Whether the values of a column are a set that may be told: few, and each of them often."""
    if (
        column.withheld
        or not column.distinct_exact
        or not column.distinct
        or column.kind not in ("text", "integer", "bool")
    ):
        return False
    often = (column.present or 0) >= max(LEAST, OFTEN * column.distinct)
    # A flag is true or false anyway, and a number has a range.
    return often and (column.distinct == 1 or (column.kind == "text" and column.distinct <= SET))
