"""No value of a personal column enters Iceberg's manifests or metadata."""

from __future__ import annotations

import itertools

COLUMNS = {"id": "BIGINT", "email": "VARCHAR", "seen": "STRUCT(place VARCHAR)"}
SQL = "SELECT {0}::BIGINT AS id, 'ada{0}@example.org' AS email, {{'place': 'Lyon{0}'}} AS seen"


def bounds(house):
    table = house.warehouse._open("clean.t")
    found = {}
    for task in table.scan().plan_files():
        for number, value in itertools.chain(task.file.lower_bounds.items(), task.file.upper_bounds.items()):
            found.setdefault(table.schema().find_column_name(number), []).append(value)
    return found


def test_personal_columns_have_no_bounds_and_others_do(house):
    house.published(SQL.format(1), columns=COLUMNS, personal=["email", "seen"])
    assert set(bounds(house)) == {"id"}


def test_a_column_that_becomes_personal_has_no_bounds_from_then_on(house):
    house.published(SQL.format(1), columns=COLUMNS, personal=["email"])
    house.published(SQL.format(2), columns=COLUMNS, personal=["email", "seen"])
    assert set(bounds(house)) == {"id"}


def test_no_file_but_the_data_holds_a_personal_value(house):
    house.published(SQL.format(1), columns=COLUMNS, personal=["email", "seen"])
    for path in house.warehouse.root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert b"ada1" not in path.read_bytes()
            assert b"Lyon1" not in path.read_bytes()
