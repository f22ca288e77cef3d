"""Columns made coarser: right for every value, of the same type, and never finer than the rule."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecluse.access import compile_grant, pseudonym
from ecluse.engine import Engine, literal
from ecluse.model.charter import Grant
from ecluse.model.contract import Classification, Column

moment = datetime.fromisoformat
ENGINE = Engine(threads=1)
KEY = bytes(32)


def grant(way, row_filter=None):
    return Grant("reader", ("*",), ("care",), {"personal": way}, row_filter)


def shown(column, value, *grants):
    granted = compile_grant(grants or (grant("generalised"),), (column,), purpose="care", key=lambda: KEY)
    assert granted is not None
    held = "NULL" if value is None else literal(str(value))
    rows = f"(SELECT CAST({held} AS {column.type}) AS v)"
    assert ENGINE.describe(granted.select_sql(rows), granted.keys.reveal()).keys() == {"v"}
    return ENGINE.scalar(granted.select_sql(rows), granted.keys.reveal())


def column(type_, rule):
    return Column("v", type_, classification=Classification.PERSONAL, generalise=rule)


@pytest.mark.parametrize(
    ("type_", "rule", "value", "coarse"),
    [
        ("DATE", "year", date(1987, 6, 5), date(1987, 1, 1)),
        ("DATE", "decade", date(1987, 6, 5), date(1980, 1, 1)),
        ("TIMESTAMP", "month", moment("1987-06-05 04:03"), moment("1987-06-01")),
        ("TIMESTAMP", "hour", moment("1987-06-05 04:03"), moment("1987-06-05 04:00")),
        ("INTEGER", "band 10", 37, 30),
        ("INTEGER", "band 10", -3, -10),
        ("BIGINT", "band 10", 2**63 - 1, 2**63 - 8),
        ("TINYINT", "band 100", -128, None),
        ("DECIMAL(9,2)", "band 0.50", Decimal("3.99"), Decimal("3.50")),
        ("DOUBLE", "band 0.5", 3.99, 3.5),
        ("VARCHAR", "first 2", "75011", "75"),
        ("VARCHAR", "first 2", "É", "É"),
        ("VARCHAR", {"NYC": "NY", "Buffalo": "NY"}, "Buffalo", "NY"),
        ("VARCHAR", {"NYC": "NY"}, "O'Fallon", None),
        ("VARCHAR", {}, "NYC", None),
        ("DATE", "year", None, None),
        ("INTEGER", "band 10", None, None),
    ],
)
def test_a_value_is_shown_as_coarse_as_its_rule_says(type_, rule, value, coarse):
    assert shown(column(type_, rule), value) == coarse


@given(value=st.integers(-(2**63) + 10**6, 2**63 - 1), width=st.integers(1, 10**6))
def test_a_number_shows_the_lower_end_of_its_band(value, width):
    found = shown(column("BIGINT", f"band {width}"), value)
    assert found % width == 0
    assert found <= value < found + width


@pytest.mark.parametrize("type_", ["DATE", "INTEGER", "VARCHAR", "DECIMAL(9,2)", "TIMESTAMP"])
def test_the_type_stays(type_):
    rule = {"DATE": "year", "TIMESTAMP": "year", "VARCHAR": "first 1"}.get(type_, "band 10")
    granted = compile_grant((grant("generalised"),), (column(type_, rule),), purpose="care", key=lambda: KEY)
    rows = f"(SELECT NULL::{type_} AS v)"
    assert granted.columns == {"v": "generalised"}
    assert ENGINE.describe(granted.select_sql(rows)) == {"v": type_}


def test_a_column_without_a_rule_shows_nothing_of_its_values():
    bare = Column("v", "VARCHAR", classification=Classification.PERSONAL)
    granted = compile_grant((grant("generalised"),), (bare,), purpose="care", key=lambda: KEY)
    assert granted.columns == {"v": "null"}
    assert shown(bare, "Ada") is None


def test_beside_a_pseudonym_both_are_text():
    year = column("DATE", "year")
    found = (grant("pseudonym"), grant("generalised", "v > DATE '1990-01-01'"))
    assert shown(year, date(1995, 6, 5), *found) == "1995-01-01"
    assert shown(year, date(1987, 6, 5), *found) == pseudonym("1987-06-05", KEY, "care")


@pytest.mark.parametrize(
    ("type_", "rule"),
    [
        ("DATE", "band 10"),
        ("INTEGER", "year"),
        ("INTEGER", "band 0"),
        ("VARCHAR", "first 1.5"),
        ("VARCHAR", "fortnight"),
        ("DATE", {"a": "b"}),
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_is_allowed(type_, rule):
    with pytest.raises(ValidationError, match="generalise"):
        column(type_, rule)
