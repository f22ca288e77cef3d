"""One guarded step from inputs to a verdict: what is published, quarantined, blocked, and accounted for."""

from __future__ import annotations

import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ecluse
from ecluse import testing
from ecluse.errors import BrokenData, DefinitionError, NotComputed
from ecluse.model.contract import Column, Contract
from ecluse.model.outcome import Outcome
from ecluse.model.step import Guard, Table

ROWS = [
    {"id": 1, "delay": 5.0, "kind": "a"},
    {"id": 2, "delay": -9.0, "kind": "b"},
    {"id": 3, "delay": 9999.0, "kind": "a"},
    {"id": 4, "delay": None, "kind": "b"},
]


def contract(**more):
    settings = {"owner": "team", "licence": "CC0-1.0", "key": ["id"], **more}
    return Contract(columns=[Column("id", "BIGINT"), Column("delay", "DOUBLE")], **settings)


def suite(*expectations):
    return gx.ExpectationSuite("clean.flights", expectations=list(expectations))


def between(**more):
    return gxe.ExpectColumnValuesToBeBetween(column="delay", min_value=-60, max_value=1800, **more)


def guard(*expectations, **more):
    found = suite(*expectations)
    return Guard(contract(**more), lambda: found)


def asset(sql="SELECT id, delay FROM raw", guarded=None, **more):
    settings = {"ins": {"raw": "raw.flights"}, "grain": "row", **more}

    @ecluse.asset("clean.flights", guard=guarded or guard(between(severity="critical")), **settings)
    def flights(raw: Table, **others: Table) -> str:
        """Flights."""
        return sql.format(raw=raw)

    return flights


def ids(table):
    return sorted(table["id"].to_pylist())


def test_a_step_whose_promises_hold_publishes_every_row():
    found = testing.run_step(asset(), {"raw": ROWS[:2]})
    assert found.verdict.publishes, found.verdict
    assert ids(found.candidate) == [1, 2]
    assert found.quarantine is None
    assert found.checks["column_values_to_be_between__delay"].outcome is Outcome.HELD
    assert found.accounting.outcome is Outcome.HELD
    assert (found.accounting.driving, found.accounting.out, found.accounting.computed) == (2, 2, 2)


def test_a_broken_critical_promise_blocks_and_says_why():
    found = testing.run_step(asset(), {"raw": ROWS})
    assert not found.verdict.publishes
    assert found.verdict.reasons == (
        "A critical promise does not hold (column_values_to_be_between__delay): delay lies between -60 and 1800. Rows that break it: 1.",
    )
    assert ids(found.candidate) == [1, 2, 3, 4]


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_broken_promise_that_is_not_critical_publishes_and_shows(severity):
    found = testing.run_step(asset(guarded=guard(between(severity=severity))), {"raw": ROWS})
    assert found.verdict.publishes
    assert found.checks["column_values_to_be_between__delay"].outcome is Outcome.BROKEN


def test_rows_that_break_a_critical_promise_are_quarantined_with_what_they_broke():
    guarded = guard(between(severity="critical"), on_failure="quarantine", quarantine_at_most=0.5)
    found = testing.run_step(asset(guarded=guarded), {"raw": ROWS})
    assert found.verdict.publishes, found.verdict
    assert ids(found.candidate) == [1, 2, 4]
    assert found.quarantine["id"].to_pylist() == [3]
    assert found.quarantine["_broke"].to_pylist() == ["column_values_to_be_between__delay"]
    check = found.checks["column_values_to_be_between__delay"]
    assert (check.outcome, check.unexpected_count, check.quarantined) == (Outcome.BROKEN, 1, 1)
    counts = found.accounting
    assert (counts.computed, counts.published, counts.quarantined, counts.driving_quarantined) == (4, 3, 1, 1)


def test_rows_leave_also_where_mostly_holds():
    guarded = guard(between(severity="critical", mostly=0.5), on_failure="quarantine", quarantine_at_most=0.5)
    found = testing.run_step(asset(guarded=guarded), {"raw": ROWS})
    assert found.checks["column_values_to_be_between__delay"].outcome is Outcome.HELD
    assert ids(found.candidate) == [1, 2, 4]


def test_too_many_bad_rows_block_and_nothing_is_moved_to_quarantine():
    guarded = guard(between(severity="critical"), on_failure="quarantine", quarantine_at_most=0.1)
    found = testing.run_step(asset(guarded=guarded), {"raw": ROWS})
    assert not found.verdict.publishes
    assert "1 of 4 rows (25.00%)" in found.verdict.reasons[0]
    assert found.quarantine is None


def test_a_promise_about_the_whole_table_is_asked_of_what_remains():
    guarded = guard(
        between(severity="critical"),
        gxe.ExpectTableRowCountToEqual(value=3, severity="critical"),
        on_failure="quarantine",
        quarantine_at_most=0.5,
    )
    found = testing.run_step(asset(guarded=guarded), {"raw": ROWS})
    assert found.verdict.publishes, found.verdict
    assert found.checks["table_row_count_to_equal"].outcome is Outcome.HELD


def test_a_duplicate_key_blocks():
    found = testing.run_step(asset("SELECT 1 AS id, delay FROM raw"), {"raw": ROWS[:2]})
    assert not found.verdict.publishes
    assert any("unique" in reason for reason in found.verdict.reasons)


def test_a_missing_row_must_be_explained():
    found = testing.run_step(asset("SELECT id, delay FROM raw WHERE id <> 2"), {"raw": ROWS[:2]})
    assert found.accounting.unexplained == 1
    assert found.verdict.reasons == ("1 rows of raw.flights are missing, and no filter or duplicate explains them.",)


def test_a_named_filter_explains_missing_rows():
    step = asset("SELECT id, delay FROM raw WHERE delay IS NOT NULL", filters={"cancelled": "delay IS NULL"})
    found = testing.run_step(step, {"raw": [ROWS[0], ROWS[3]]})
    assert found.verdict.publishes, found.verdict
    assert found.accounting.filtered == {"cancelled": 1}


def test_a_filter_explains_only_the_rows_that_it_names():
    step = asset("SELECT id, delay FROM raw WHERE id = 1", filters={"cancelled": "delay IS NULL"})
    found = testing.run_step(step, {"raw": ROWS})
    assert (found.accounting.filtered, found.accounting.unexplained) == ({"cancelled": 1}, 2)


def test_duplicates_are_explained_by_the_row_that_was_kept():
    sql = "SELECT id, delay FROM raw QUALIFY row_number() OVER (PARTITION BY id ORDER BY delay) = 1"
    step = asset(sql, deduplicate_by=("id",))
    found = testing.run_step(step, {"raw": [*ROWS[:2], ROWS[0]]})
    assert found.verdict.publishes, found.verdict
    assert found.accounting.deduplicated == 1


def test_a_join_that_multiplies_rows_is_refused():
    step = asset(
        "SELECT raw.id, raw.delay FROM raw JOIN twice ON raw.kind = twice.kind",
        ins={"raw": "raw.flights", "twice": "raw.kinds"},
        guarded=guard(key=[]),
    )
    found = testing.run_step(step, {"raw": ROWS[:1], "twice": [{"kind": "a"}, {"kind": "a"}]})
    assert found.accounting.fanned_out == 1
    assert not found.verdict.publishes


def test_rows_that_come_from_nowhere_are_refused():
    sql = "SELECT id, delay, _origin FROM raw UNION ALL SELECT 99, 0.0, 'nowhere:1' FROM (SELECT 1)"
    found = testing.run_step(asset(sql), {"raw": ROWS[:1]})
    assert found.accounting.invented == 1
    assert not found.verdict.publishes


def test_a_row_grain_that_loses_its_origins_blocks():
    found = testing.run_step(asset("SELECT DISTINCT id, delay FROM raw"), {"raw": ROWS[:2]})
    assert "_origin" in found.verdict.reasons[0]


def test_look_ups_count_matched_and_unmatched_rows():
    step = asset(
        "SELECT raw.id, raw.delay FROM raw LEFT JOIN kinds ON raw.kind = kinds.kind",
        ins={"raw": "raw.flights", "kinds": "raw.kinds"},
        look_ups={"kinds": "raw.kind = kinds.kind"},
    )
    found = testing.run_step(step, {"raw": ROWS[:2], "kinds": [{"kind": "a"}]})
    (look,) = found.accounting.look_ups
    assert (look.dataset, look.matched, look.unmatched) == ("raw.kinds", 1, 1)


@pytest.mark.parametrize(
    ("sql", "publishes"),
    [
        ("SELECT kind = 'a' AS a, count(*) AS n FROM raw GROUP BY 1", True),
        ("SELECT kind = 'a' AS a, count(*) AS n FROM raw WHERE id > 1 GROUP BY 1", False),
    ],
)
def test_control_totals_hold_groups_to_their_rows(sql, publishes):
    found_suite = suite()
    promised = Contract(columns=[Column("a", "BOOLEAN"), Column("n", "BIGINT")], owner="t", licence="CC0-1.0")
    step = asset(sql, Guard(promised, lambda: found_suite), grain="group", totals={"rows": ("count(*)", "sum(n)")})
    found = testing.run_step(step, {"raw": ROWS})
    assert found.verdict.publishes is publishes
    assert "_origin" not in found.candidate.column_names


def test_the_candidate_carries_where_each_row_came_from():
    rows = [{**r, "_origin": f"abc:{r['id']}"} for r in ROWS[:2]]
    found = testing.run_step(asset(), {"raw": rows})
    assert sorted(found.candidate["_origin"].to_pylist()) == ["abc:1", "abc:2"]


def _pandas(raw: pd.DataFrame) -> pd.DataFrame:
    return raw[["id", "delay", "_origin"]]


def _polars(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.select("id", "delay", "_origin")


def _lazy(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw.select("id", "delay", "_origin")


def _arrow(raw: pa.Table) -> pa.Table:
    return raw.select(["id", "delay", "_origin"])


def _relation(raw: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    return raw.select("id, delay, _origin")


@pytest.mark.parametrize("function", [_pandas, _polars, _lazy, _arrow, _relation])
def test_python_assets_get_the_type_that_they_annotate(function):
    step = ecluse.asset("clean.flights", ins={"raw": "raw.flights"}, guard=guard(), grain="row")(function)
    found = testing.run_step(step, {"raw": pa.Table.from_pylist(ROWS[:2])})
    assert found.verdict.publishes, found.verdict
    assert ids(found.candidate) == [1, 2]
    assert found.result.lineage.errors


def test_column_lineage_of_sql_leads_to_the_inputs():
    found = testing.run_step(asset("SELECT id, delay * 2 AS delay FROM raw"), {"raw": ROWS[:1]})
    (edge,) = [e for e in found.result.lineage.fields["delay"] if e.type == "DIRECT"]
    assert (edge.dataset, edge.column, edge.subtype) == ("raw.flights", "delay", "TRANSFORMATION")
    assert found.result.lineage.errors == ()


@pytest.mark.parametrize(
    ("sql", "error", "said"),
    [
        ("SELECT id FROM raw", BrokenData, "Missing: delay"),
        ("SELECT id, delay, 1 AS extra FROM raw", BrokenData, "Not promised: extra"),
        ("SELECT id, delay::VARCHAR AS delay FROM raw", BrokenData, "Column delay of clean.flights is VARCHAR"),
        ("SELECT id, nothing AS delay FROM raw", NotComputed, "can't be carried out"),
        ("SELECT id, CAST('x' || id AS DOUBLE) AS delay FROM raw", NotComputed, "can't be carried out"),
    ],
)
def test_a_query_that_does_not_give_what_is_promised_is_refused(sql, error, said):
    with pytest.raises(error) as caught:
        testing.run_step(asset(sql), {"raw": ROWS})
    assert said in str(caught.value)
    assert "Allowed:" in str(caught.value)


def test_an_expectation_on_a_missing_column_could_not_be_computed_and_blocks():
    guarded = guard(gxe.ExpectColumnValuesToNotBeNull(column="nowhere", severity="info"))
    found = testing.run_step(asset(guarded=guarded), {"raw": ROWS[:1]})
    assert found.checks["column_values_to_not_be_null__nowhere"].outcome is Outcome.NOT_COMPUTED
    assert not found.verdict.publishes


def test_wrong_inputs_are_named():
    with pytest.raises(DefinitionError) as caught:
        testing.run_step(asset(), {"row": ROWS})
    assert "row" in str(caught.value)
    assert "raw" in str(caught.value)
