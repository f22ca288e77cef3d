"""Columns change with the publication that changes them, and never lose or bring back a value."""

from __future__ import annotations

import pytest

from ecluse.errors import Conflict, DefinitionError

WIDE = {"id": "BIGINT", "name": "VARCHAR", "n": "INTEGER"}
ONE = "SELECT 1::BIGINT AS id, 'n1' AS name"


def test_a_new_column_is_invisible_until_it_is_published(house):
    first = house.published(ONE, partition="a")
    candidate = house.staged("SELECT 2::BIGINT AS id, 'n2' AS name, 7 AS n", columns=WIDE, partition="b")
    assert house.warehouse.columns("clean.t", first) == {"id": "BIGINT", "name": "VARCHAR"}
    assert house.rows() == [(1, "n1")]
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name"]
    assert house.rows(snapshot=candidate.snapshot_id) == [(1, "n1", None), (2, "n2", 7)]
    house.publish(candidate)
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name", "n"]
    assert house.rows() == [(1, "n1", None), (2, "n2", 7)]
    assert house.rows(snapshot=first) == [(1, "n1")]


def test_a_rollback_brings_the_columns_back_too(house):
    first = house.published(ONE)
    house.published("SELECT 2::BIGINT AS id, 'n2' AS name, 7 AS n", columns=WIDE)
    house.warehouse.rollback("clean.t", first)
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name"]
    assert house.rows() == [(1, "n1")]


def test_a_discarded_change_of_columns_leaves_no_trace_on_main(house):
    house.published(ONE)
    house.warehouse.discard(house.begin(columns=WIDE))
    house.published(ONE)
    assert house.rows() == [(1, "n1")]


@pytest.mark.parametrize(
    ("narrow", "wide", "value"),
    [
        ("INTEGER", "BIGINT", 7),
        ("FLOAT", "DOUBLE", 0.5),
        ("DECIMAL(9,2)", "DECIMAL(18,2)", "1.25"),
    ],
)
def test_a_widened_column_reads_old_files_in_the_new_type(house, narrow, wide, value):
    house.published(f"SELECT {value}::{narrow} AS v", columns={"v": narrow}, partition="a")
    house.published(f"SELECT {value}::{wide} AS v", columns={"v": wide}, partition="b")
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    assert house.engine.describe(f"SELECT * FROM {scan}") == {"v": wide}
    assert house.engine.rows(f"SELECT DISTINCT v::VARCHAR FROM {scan}") == [
        (house.engine.scalar(f"SELECT {value}::{wide}::VARCHAR"),)
    ]


@pytest.mark.parametrize(("found", "wanted"), [("BIGINT", "INTEGER"), ("VARCHAR", "DOUBLE"), ("VARCHAR[]", "VARCHAR")])
def test_a_change_that_could_lose_values_is_refused_by_name(house, found, wanted):
    house.published(f"SELECT NULL::{found} AS v", columns={"v": found})
    with pytest.raises(DefinitionError) as caught:
        house.begin(columns={"v": wanted})
    assert caught.value.key == "warehouse.column_change"
    assert "Column v of clean.t" in str(caught.value)
    assert house.warehouse.candidates() == []


def test_a_dropped_column_does_not_come_back_with_its_old_values(house):
    house.published("SELECT 1::BIGINT AS id, 'n1' AS name, 7 AS n", columns=WIDE, partition="a")
    house.warehouse.release(house.begin(columns=WIDE | {"m": "DATE"}, partition="z"))
    house.published(ONE, partition="b")
    assert house.rows() == [(1, "n1"), (1, "n1")]
    house.published("SELECT 3::BIGINT AS id, 'n3' AS name, 9 AS n", columns=WIDE, partition="b")
    assert house.rows() == [(1, "n1", None), (3, "n3", 9)]


def test_columns_in_another_order_are_read_by_id(house):
    house.published(ONE, partition="a")
    house.published("SELECT 2::BIGINT AS id, 'n2' AS name", columns={"name": "VARCHAR", "id": "BIGINT"}, partition="b")
    assert house.rows() == [("n1", 1), ("n2", 2)]


def test_two_runs_that_make_the_same_change_share_it(house):
    house.published(ONE, partition="z")
    one = house.staged("SELECT 1::BIGINT AS id, 'n' AS name, 1 AS n", columns=WIDE, partition="a")
    two = house.staged("SELECT 2::BIGINT AS id, 'n' AS name, 2 AS n", columns=WIDE, partition="b")
    assert one.schema_id == two.schema_id
    house.publish(one)
    house.publish(house.warehouse.rebase(two))
    assert house.rows() == [(1, "n", 1), (1, "n1", None), (2, "n", 2)]


def test_a_run_without_a_change_follows_one_with_a_change(house):
    house.published(ONE, partition="z")
    plain = house.staged("SELECT 2::BIGINT AS id, 'n2' AS name", partition="a")
    house.published("SELECT 3::BIGINT AS id, 'n3' AS name, 3 AS n", columns=WIDE, partition="b")
    house.publish(house.warehouse.rebase(plain))
    assert house.rows() == [(1, "n1", None), (2, "n2", None), (3, "n3", 3)]


def test_two_different_changes_conflict(house):
    house.published(ONE, partition="z")
    late = house.staged(
        "SELECT 2::BIGINT AS id, 'n2' AS name, 1 AS m",
        columns={"id": "BIGINT", "name": "VARCHAR", "m": "INTEGER"},
        partition="a",
    )
    house.published("SELECT 3::BIGINT AS id, 'n3' AS name, 3 AS n", columns=WIDE, partition="b")
    with pytest.raises(Conflict) as caught:
        house.warehouse.rebase(late)
    assert caught.value.key == "warehouse.columns_moved"


@pytest.mark.parametrize(
    "kind", ["TINYINT", "HUGEINT", "INTERVAL", "JSON", "TIMESTAMP_NS", "ENUM('a')", "INTEGER[2]", "NOSUCH"]
)
def test_a_type_that_iceberg_lacks_is_refused_by_name(house, kind):
    with pytest.raises(DefinitionError) as caught:
        house.begin(columns={"id": "BIGINT", "odd": kind})
    assert caught.value.key == "warehouse.column_type"
    assert f"Column odd of clean.t has type {kind}" in str(caught.value)
    assert not house.warehouse.exists("clean.t")


@pytest.mark.parametrize(
    ("sql", "key", "says"),
    [
        ("SELECT 1::BIGINT AS id", "warehouse.columns", "name"),
        ("SELECT 1::BIGINT AS id, 'a' AS name, 2 AS more", "warehouse.columns", "more"),
        ("SELECT 1::HUGEINT AS id, 'a' AS name", "warehouse.cast", "CAST(id AS BIGINT)"),
        ("SELECT 1::BIGINT AS id, 1 AS name", "warehouse.cast", "computed as INTEGER"),
        ("SELECT 1.5 AS id, 'a' AS name", "warehouse.cast", "CAST(id AS BIGINT)"),
    ],
)
def test_rows_that_are_not_the_contracts_are_refused(house, sql, key, says):
    candidate = house.begin()
    with pytest.raises(DefinitionError) as caught:
        house.warehouse.write(house.engine, candidate, sql, "replace")
    assert caught.value.key == key
    assert says in str(caught.value)
    assert house.data_files() == set()


def test_order_and_lossless_types_of_a_query_are_brought_in_line(house):
    columns = {"i": "BIGINT", "d": "DOUBLE", "s": "VARCHAR", "e": "DECIMAL(18,2)"}
    house.published(
        "SELECT 'x'::ENUM('x') AS s, 1::TINYINT AS i, 1.5::FLOAT AS d, 2.25::DECIMAL(9,2) AS e UNION ALL SELECT NULL, NULL, NULL, NULL",
        columns=columns,
    )
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    assert house.engine.describe(f"SELECT * FROM {scan}") == columns
    assert house.engine.scalar(f"SELECT count(*) FROM {scan} WHERE i = 1 AND d = 1.5 AND s = 'x' AND e = 2.25") == 1


def test_a_column_of_nothing_but_nulls_takes_the_contracts_type(house):
    house.published("SELECT 1::BIGINT AS id, NULL AS name")
    assert house.rows() == [(1, None)]
