"""Columns change with the publication that changes them, and never lose or bring back a value."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.types import StringType

from ecluse.errors import Conflict, DefinitionError

COLUMNS = {"id": "BIGINT", "name": "VARCHAR"}
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


RENAMED = {"id": "BIGINT", "title": "VARCHAR"}
WAS = {"title": ("name",)}
TWO = "SELECT 2::BIGINT AS id, 't2' AS title"


def seen_by_others(house):
    """The published rows as PyIceberg reads them, by column."""
    found = house.warehouse._open("clean.t").scan().to_arrow()
    return sorted(([*row.items()] for row in found.to_pylist()), key=repr)


def seen(house):
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    found = house.engine.arrow(f"SELECT * FROM {scan}")
    return sorted(([*row.items()] for row in found.to_pylist()), key=repr)


def test_a_renamed_column_keeps_the_values_of_files_that_were_not_rewritten(house):
    first = house.published(ONE, partition="a")
    candidate = house.staged(TWO, columns=RENAMED, renamed=WAS, partition="b")
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name"]
    assert house.warehouse.columns("clean.t", first) == {"id": "BIGINT", "name": "VARCHAR"}
    house.publish(candidate)
    assert house.rows() == [(1, "n1"), (2, "t2")]
    assert seen(house) == seen_by_others(house) == [[("id", 1), ("title", "n1")], [("id", 2), ("title", "t2")]]
    assert house.warehouse.columns("clean.t", first) == {"id": "BIGINT", "name": "VARCHAR"}


def test_a_renaming_stays_declared_without_being_done_twice(house):
    house.published(ONE, partition="a")
    for partition in "bc":
        house.published(TWO, columns=RENAMED, renamed=WAS, partition=partition)
    house.published(TWO, columns=RENAMED, partition="b")
    assert house.rows() == [(1, "n1"), (2, "t2"), (2, "t2")]
    assert len(house.warehouse._open("clean.t").schemas()) == 2


def test_a_renaming_of_a_table_that_never_had_the_old_name_adds_the_column(house):
    house.published(TWO, columns=RENAMED, renamed=WAS)
    assert house.rows() == [(2, "t2")]


def test_a_column_follows_two_renamings_of_which_the_first_was_never_published(house):
    house.published(ONE, partition="a")
    columns = {"id": "BIGINT", "heading": "VARCHAR"}
    was = {"heading": ("title", "name")}
    house.published("SELECT 3::BIGINT AS id, 'h3' AS heading", columns=columns, renamed=was, partition="b")
    assert house.rows() == [(1, "n1"), (3, "h3")]


def test_a_column_is_renamed_widened_and_moved_in_one_publication(house):
    house.published("SELECT 7 AS n, 'n1' AS name", columns={"n": "INTEGER", "name": "VARCHAR"}, partition="a")
    columns = {"name": "VARCHAR", "number": "BIGINT"}
    sql = "SELECT 'n2' AS name, 8::BIGINT AS number"
    house.published(sql, columns=columns, renamed={"number": ("n",)}, partition="b")
    assert house.rows() == [("n1", 7), ("n2", 8)]
    assert seen(house) == seen_by_others(house)


def test_a_rename_without_its_declaration_is_a_new_column_beside_a_dropped_one(house):
    house.published(ONE, partition="a")
    house.published(TWO, columns=RENAMED, partition="b")
    assert house.rows() == [(1, None), (2, "t2")]


def test_a_renaming_onto_a_column_that_is_published_too_is_refused(house):
    house.published("SELECT 1::BIGINT AS id, 'n' AS name, 't' AS title", columns={**COLUMNS, "title": "VARCHAR"})
    with pytest.raises(DefinitionError) as caught:
        house.begin(columns=RENAMED, renamed=WAS)
    assert caught.value.key == "warehouse.column_renamed"
    assert "Column title of clean.t is declared as a renaming of name" in str(caught.value)


def test_the_old_name_of_a_renamed_column_can_be_given_to_another_later(house):
    house.published(ONE, partition="a")
    house.published(TWO, columns=RENAMED, renamed=WAS, partition="b")
    sql = "SELECT 3::BIGINT AS id, 't3' AS title, 'other' AS name"
    house.published(sql, columns={**RENAMED, "name": "VARCHAR"}, partition="c")
    assert house.rows() == [(1, "n1", None), (2, "t2", None), (3, "t3", "other")]
    assert seen(house) == seen_by_others(house)


def test_a_name_taken_back_without_a_declaration_is_a_new_column(house):
    house.published(ONE, partition="a")
    house.published(TWO, columns=RENAMED, renamed=WAS, partition="b")
    house.published("SELECT 3::BIGINT AS id, 'n3' AS name", partition="c")
    assert house.rows() == [(1, None), (2, None), (3, "n3")]
    assert seen(house) == seen_by_others(house)


def test_a_dropped_column_may_come_back_with_another_type(house):
    house.published("SELECT 1::BIGINT AS id, 'n1' AS name, 7 AS n", columns=WIDE, partition="a")
    house.published(ONE, partition="b")
    sql = "SELECT 2::BIGINT AS id, 'n2' AS name, 'seven' AS n"
    house.published(sql, columns={**COLUMNS, "n": "VARCHAR"}, partition="b")
    assert house.rows() == [(1, "n1", None), (2, "n2", "seven")]
    assert seen(house) == seen_by_others(house)


def test_a_dropped_column_stays_away_after_the_snapshots_that_had_it_are_expired(house):
    house.published("SELECT 1::BIGINT AS id, 'n1' AS name, 7 AS n", columns=WIDE, partition="a")
    house.published(ONE, partition="b")
    house.warehouse.expire("clean.t", keep=(), older_than=timedelta(0))
    house.published("SELECT 3::BIGINT AS id, 'n3' AS name, 9 AS n", columns=WIDE, partition="b")
    assert house.rows() == [(1, "n1", None), (3, "n3", 9)]
    assert seen(house) == seen_by_others(house)


@pytest.mark.parametrize(
    ("columns", "sql", "more"),
    [
        (WIDE, "SELECT 2::BIGINT AS id, 'n2' AS name, 7 AS n", {}),
        (RENAMED, TWO, {"renamed": WAS}),
        ({"id": "BIGINT"}, "SELECT 2::BIGINT AS id", {}),
        ({"name": "VARCHAR", "id": "BIGINT"}, "SELECT 2::BIGINT AS id, 'n2' AS name", {}),
    ],
    ids=["added", "renamed", "dropped", "reordered"],
)
def test_columns_and_rows_go_back_and_forward_together(house, columns, sql, more):
    first = house.published(ONE, partition="a")
    second = house.published(sql, columns=columns, partition="b", **more)
    after = seen(house)
    house.warehouse.rollback("clean.t", first)
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name"]
    assert seen(house) == seen_by_others(house) == [[("id", 1), ("name", "n1")]]
    house.warehouse.rollback("clean.t", second)
    assert house.warehouse._open("clean.t").schema().column_names == list(columns)
    assert seen(house) == seen_by_others(house) == after
    house.warehouse.rollback("clean.t", first)
    house.published(sql, columns=columns, partition="c", **more)
    assert seen(house) == after


@pytest.mark.parametrize(
    ("columns", "sql", "more"),
    [
        (RENAMED, TWO, {"renamed": WAS}),
        ({"id": "BIGINT"}, "SELECT 2::BIGINT AS id", {}),
    ],
    ids=["renamed", "dropped"],
)
def test_a_run_whose_columns_are_no_longer_there_is_refused_and_not_bent(house, columns, sql, more):
    house.published(ONE, partition="z")
    late = house.staged("SELECT 9::BIGINT AS id, 'n9' AS name", partition="a")
    house.published(sql, columns=columns, partition="b", **more)
    with pytest.raises(Conflict) as caught:
        house.warehouse.rebase(late)
    assert caught.value.key == "warehouse.columns_moved"


def test_a_run_whose_new_column_was_rolled_back_meanwhile_is_refused(house):
    first = house.published(ONE, partition="z")
    house.published("SELECT 2::BIGINT AS id, 'n2' AS name, 7 AS n", columns=WIDE, partition="b")
    late = house.staged("SELECT 9::BIGINT AS id, 'n9' AS name, 9 AS n", columns=WIDE, partition="a")
    house.warehouse.rollback("clean.t", first)
    with pytest.raises(Conflict) as caught:
        house.warehouse.rebase(late)
    assert caught.value.key == "warehouse.columns_moved"


def test_a_change_of_columns_by_another_engine_is_not_undone_by_a_run_that_began_before(house):
    house.published(ONE, partition="z")
    late = house.staged("SELECT 9::BIGINT AS id, 'n9' AS name", partition="a")
    with house.warehouse._open("clean.t").update_schema() as change:
        change.add_column("theirs", StringType())
    with pytest.raises(Conflict):
        house.publish(late)
    house.publish(house.warehouse.rebase(late))
    assert house.rows() == [(1, "n1", None), (9, "n9", None)]
    assert house.warehouse._open("clean.t").schema().column_names == ["id", "name", "theirs"]


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ab")),
        st.tuples(st.just("drop"), st.sampled_from("ab")),
        st.tuples(st.just("rename"), st.sampled_from("ab")),
        st.tuples(st.just("reorder"), st.just("")),
        st.tuples(st.just("rollback"), st.just("")),
        st.tuples(st.just("give up"), st.sampled_from("ab")),
        st.tuples(st.just("expire"), st.just("")),
    ),
    max_size=7,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_any_sequence_of_changes_shows_each_value_under_its_column_of_today(house, changes):
    """The model keeps values by the column's identity, which a renaming keeps and which nothing brings back."""
    dataset, identities, values = f"made.s{next(house.runs)}", itertools.count(1), itertools.count(1)
    columns, rows, past = {"k": 0}, {}, []

    def publish(wanted, partition, **more):
        row = {identity: next(values) for identity in wanted.values()}
        sql = ", ".join(f"{row[identity]}::BIGINT AS {name}" for name, identity in wanted.items())
        types = dict.fromkeys(wanted, "BIGINT")
        candidate = house.staged(f"SELECT {sql}", dataset=dataset, columns=types, partition=partition, **more)
        return candidate, row

    for number, (kind, name) in enumerate([("add", "a"), *changes]):
        wanted, more = dict(columns), {}
        if kind == "rollback":
            if past:
                snapshot, columns, rows = past.pop()
                house.warehouse.rollback(dataset, snapshot)
            continue
        if kind == "expire":
            house.warehouse.expire(dataset, keep=(), older_than=timedelta(0))
            past = []
            continue
        if kind in ("add", "give up") and name not in wanted:
            wanted[name] = next(identities)
        elif kind == "drop":
            wanted.pop(name, None)
        elif kind == "rename" and name in wanted:
            new = f"{name}{number}"
            wanted = {new if n == name else n: identity for n, identity in wanted.items()}
            more = {"renamed": {new: (name,)}}
        elif kind == "reorder":
            wanted = dict(reversed(wanted.items()))
        candidate, row = publish(wanted, f"p{number % 3}", **more)
        if kind == "give up":
            house.warehouse.release(candidate)
            continue
        before = house.warehouse.head(dataset)
        house.publish(candidate)
        if before is not None:
            past.append((before, columns, rows))
        columns, rows = wanted, {**rows, f"p{number % 3}": row}
    head = house.warehouse.head(dataset)
    assert list(house.warehouse.columns(dataset, head)) == list(columns)
    found = house.engine.arrow(f"SELECT * FROM {house.warehouse.scan(dataset, head)}").to_pylist()
    theirs = house.warehouse._open(dataset).scan().to_arrow().to_pylist()
    model = [{name: row.get(identity) for name, identity in columns.items()} for row in rows.values()]
    assert sorted(map(repr, found)) == sorted(map(repr, theirs)) == sorted(map(repr, model))
