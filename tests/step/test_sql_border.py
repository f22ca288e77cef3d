"""What the user's SQL or function does wrong is said in our words, and nothing of the data is quoted."""

from __future__ import annotations

import duckdb
import great_expectations as gx
import pandas as pd
import pyarrow as pa
import pytest

import ecluse
from ecluse import testing
from ecluse.errors import BrokenData, DefinitionError, NotComputed
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard, Table

SUITE = gx.ExpectationSuite("clean.people")
GUARD = Guard(
    Contract(columns=[Column("id", "BIGINT"), Column("who", "VARCHAR")], owner="t", licence="CC0-1.0"), lambda: SUITE
)
ROWS = [{"id": 1, "who": "Ann O'Neil"}, {"id": 2, "who": "Bob"}]


def step(sql, **more):
    settings = {"ins": {"raw": "raw.people"}, "grain": "row", **more}

    def people(**inputs: Table) -> str:
        return sql

    return ecluse.asset("clean.people", guard=GUARD, **settings)(people)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, CAST(CAST(who AS DOUBLE) AS VARCHAR) AS who FROM raw",
        "SELECT id, strftime(strptime(who, '%Y'), '%Y') AS who FROM raw",
        "SELECT id, error(who) AS who FROM raw",
        "SELECT id, CAST(CAST(who AS DATE) AS VARCHAR) AS who FROM raw",
    ],
)
def test_an_error_about_values_does_not_quote_them(sql):
    with pytest.raises(NotComputed) as caught:
        testing.run_step(step(sql), {"raw": ROWS})
    for name in ("Ann", "Neil", "Bob"):
        assert name not in str(caught.value)


def test_an_error_about_the_code_names_it():
    with pytest.raises(NotComputed) as caught:
        testing.run_step(step("SELECT id, nobody AS who FROM raw"), {"raw": ROWS})
    assert "nobody" in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"filters": {"gone": "left_at IS NULL"}}, "the filter gone"),
        ({"filters": {"gone": "who::INT = 1"}}, "the filters"),
        ({"deduplicate_by": ("nobody",)}, "deduplicate_by"),
        (
            {"ins": {"raw": "raw.people", "towns": "raw.towns"}, "look_ups": {"towns": "raw.town = towns.id"}},
            "the look-up towns",
        ),
        ({"grain": "group", "totals": {"rows": ("count(nobody)", "count(*)")}}, "the control total rows"),
    ],
)
def test_what_is_declared_and_can_not_be_computed_is_named(declared, said):
    inputs = {"raw": ROWS} | ({"towns": [{"id": 1}]} if "ins" in declared else {})
    with pytest.raises(NotComputed) as caught:
        testing.run_step(step("SELECT id, who FROM raw WHERE id = 1", **declared), inputs)
    assert said in str(caught.value)
    assert "Bob" not in str(caught.value)


def test_a_total_is_the_same_number_whatever_its_type():
    found = testing.run_step(
        step("SELECT id, who FROM raw", grain="group", totals={"ids": ("sum(id)", "sum(id::DOUBLE)")}), {"raw": ROWS}
    )
    assert found.verdict.publishes, found.verdict


def test_a_column_given_twice_is_refused():
    with pytest.raises(BrokenData) as caught:
        testing.run_step(step("SELECT id, who, id + 1 AS ID FROM raw"), {"raw": ROWS})
    assert "more than one column of the same name: id" in str(caught.value)


def test_an_aggregate_over_all_rows_says_that_rows_lose_their_origin():
    found = testing.run_step(step("SELECT count(*) AS id, max(who) AS who FROM raw"), {"raw": ROWS})
    assert "_origin" in found.verdict.reasons[0]


def test_an_input_whose_origins_repeat_can_not_be_accounted_for():
    rows = [{**r, "_origin": "abc:1"} for r in ROWS]
    found = testing.run_step(step("SELECT id, who FROM raw"), {"raw": rows})
    assert "same origin" in found.verdict.reasons[0]


def test_a_column_named_like_its_table_is_that_column():
    guarded = Guard(Contract(columns=[Column("raw", "BIGINT")], owner="t", licence="CC0-1.0"), lambda: SUITE)

    @ecluse.asset(
        "clean.people",
        guard=guarded,
        ins={"raw": "raw.people"},
        grain="row",
        filters={"no": "raw = 2"},
        deduplicate_by=("raw",),
    )
    def people(raw: Table) -> str:
        return "SELECT raw FROM raw WHERE raw <> 2"

    found = testing.run_step(people, {"raw": [{"raw": 1}, {"raw": 2}]})
    assert found.verdict.publishes, found.verdict
    assert found.candidate["raw"].to_pylist() == [1]
    assert found.accounting.filtered == {"no": 1}


def returning(value):
    def people(raw: pa.Table):
        return value(raw) if callable(value) else value

    return ecluse.asset("clean.people", guard=GUARD, ins={"raw": "raw.people"}, grain="row")(people)


@pytest.mark.parametrize("value", [lambda raw: raw["id"], lambda raw: raw.to_pandas()["id"], lambda raw: [1], None, 7])
def test_what_is_no_data_is_refused(value):
    with pytest.raises(DefinitionError, match="returned"):
        testing.run_step(returning(value), {"raw": ROWS})


def test_a_python_asset_that_drops_the_origin_blocks():
    found = testing.run_step(returning(lambda raw: raw.select(["id", "who"])), {"raw": ROWS})
    assert "_origin" in found.verdict.reasons[0]


def test_a_subclass_of_a_frame_is_a_frame():
    class Frame(pd.DataFrame):
        pass

    assert testing.run_step(returning(lambda raw: Frame(raw.to_pandas())), {"raw": ROWS}).verdict.publishes


def test_a_relation_of_another_connection_is_read_and_leaves_nothing_behind(tmp_path):
    with duckdb.connect(tmp_path / "theirs.duckdb") as theirs:
        theirs.execute("CREATE TABLE raw AS SELECT 5::BIGINT AS id, 'theirs' AS who, 'x:1' AS _origin")
        found = testing.run_step(returning(lambda raw: theirs.sql("SELECT * FROM raw")), {"raw": ROWS})
        assert found.candidate["who"].to_pylist() == ["theirs"]
        assert theirs.sql("SELECT table_name FROM information_schema.tables").fetchall() == [("raw",)]


def test_a_relation_of_a_read_only_database_is_read(tmp_path):
    with duckdb.connect(tmp_path / "theirs.duckdb") as theirs:
        theirs.execute("CREATE TABLE t AS SELECT 5::BIGINT AS id, 'theirs' AS who, 'x:1' AS _origin")
    with duckdb.connect(tmp_path / "theirs.duckdb", read_only=True) as theirs:
        found = testing.run_step(returning(lambda raw: theirs.sql("SELECT * FROM t")), {"raw": ROWS})
        assert found.candidate["id"].to_pylist() == [5]


@pytest.mark.parametrize(
    ("text", "publishes"), [("2024-01-01 00:00:00.000001", True), ("2024-01-01 00:00:00.000000001", False)]
)
def test_nanoseconds_are_never_cut_off_silently(text, publishes):
    guarded = Guard(Contract(columns=[Column("at", "TIMESTAMP")], owner="t", licence="CC0-1.0"), lambda: SUITE)

    @ecluse.asset(
        "clean.times",
        guard=guarded,
        ins={"raw": "raw.people"},
        grain="group",
        totals={"rows": ("count(*)", "count(*) * 2")},
    )
    def times(raw: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"at": pd.to_datetime([text]).as_unit("ns")})

    if publishes:
        assert testing.run_step(times, {"raw": ROWS}).verdict.publishes
    else:
        with pytest.raises(NotComputed):
            testing.run_step(times, {"raw": ROWS})


def test_an_input_without_columns_is_named():
    with pytest.raises(DefinitionError) as caught:
        testing.run_step(step("SELECT id, who FROM raw"), {"raw": []})
    assert "raw.people" in str(caught.value)
    assert "without any column" in str(caught.value)
