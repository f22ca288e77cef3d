import warnings
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine, literal
from ecluse.model.contract import Column, Contract, Freshness
from ecluse.model.outcome import Outcome, Scope
from ecluse.model.step import Guard
from ecluse.model.tablefiles import FileRows, TableFiles
from ecluse.quality import check, guarded_suite, gx

NOW = datetime(2013, 3, 1, tzinfo=UTC)
COLUMNS = (Column("id", "BIGINT"), Column("x", "DOUBLE", classification="public"), Column("s", "VARCHAR"))
HELD, BROKEN, NOT_COMPUTED = Outcome.HELD, Outcome.BROKEN, Outcome.NOT_COMPUTED


@pytest.fixture
def engine():
    with Engine() as engine:
        yield engine


def promised(*expectations, **contract):
    made = Contract(**{"columns": COLUMNS, "owner": "data", "licence": "CC0-1.0", **contract})
    return guarded_suite(
        Guard(made, lambda: gx.module().ExpectationSuite("suite", expectations=list(expectations))), "clean.x"
    )


def rows(*values):
    listed = ", ".join(f"({', '.join(literal(v) for v in row)})" for row in values)
    return f"(SELECT id::BIGINT AS id, x::DOUBLE AS x, s::VARCHAR AS s FROM (VALUES {listed}) AS v(id, x, s))"


def in_words_of_pandas(gxe):
    """An expectation with a condition that only pandas reads, so that GX's own engine computes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gxe.ExpectColumnValuesToBeBetween(
            column="x", max_value=2, row_condition="id > 0", condition_parser="pandas"
        )


def outcomes(checked):
    return {r.name: r.outcome for r in checked.results if not r.name.startswith(("column_type", "table_columns"))}


def test_held_broken_and_not_computed_are_three_outcomes(engine, gxe):
    guarded = promised(
        gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        gxe.ExpectColumnValuesToBeBetween(column="s", min_value=0),
    )
    found = check(engine, guarded, {Scope.BATCH: rows((1, 1.0, "a"), (2, 2.0, "b"))}, data_now=NOW)
    assert outcomes(found) == {
        "column_values_to_be_between__x": HELD,
        "column_values_to_be_in_set__s": BROKEN,
        "column_values_to_be_between__s": NOT_COMPUTED,
    }
    assert [r.success for r in found.gx_result.results][-3:] == [True, False, False]
    assert found.gx_result.success is False


def test_a_missing_column_is_named_with_those_that_are_there(engine, gxe):
    found = check(
        engine,
        promised(gxe.ExpectColumnMeanToBeBetween(column="y", min_value=0)),
        {Scope.BATCH: rows((1, 1.0, "a"))},
        data_now=NOW,
    )
    last = found.results[-1]
    assert last.outcome is NOT_COMPUTED
    assert last.message == "The column y is not there. The columns are: id, x, s."


def test_columns_of_the_contract_must_be_there_and_of_their_type(engine):
    found = check(engine, promised(), {Scope.BATCH: "(SELECT 1::INTEGER AS id, 'a' AS s)"}, data_now=NOW)
    assert [(r.name, r.outcome) for r in found.results] == [
        ("table_columns_to_match_set", BROKEN),
        ("column_type_to_be__id", BROKEN),
        ("column_type_to_be__x", NOT_COMPUTED),
        ("column_type_to_be__s", HELD),
    ]


def test_each_scope_has_its_table(engine, gxe):
    guarded = promised(
        gxe.ExpectTableRowCountToEqual(value=1),
        gxe.ExpectTableRowCountToEqual(value=2, meta={"ecluse": {"scope": "table"}}),
        gxe.ExpectTableRowCountToEqual(value=3, meta={"ecluse": {"scope": "published"}}),
        key=("id",),
    )
    batch, table = rows((1, 1.0, "a")), rows((1, 1.0, "a"), (1, 2.0, "b"))
    found = check(engine, guarded, {Scope.TABLE: table, Scope.BATCH: batch}, data_now=NOW)
    assert outcomes(found) == {
        "column_values_to_not_be_null__id": HELD,
        "column_values_to_be_unique__id": BROKEN,
        "table_row_count_to_equal": HELD,
        "table_row_count_to_equal_2": HELD,
    }
    assert found.rows == 1
    # The key is broken in the table, and no row of the batch is to blame alone.
    assert found.failing_sql is None
    assert len(engine.rows(found.passing_sql)) == 1


@pytest.mark.parametrize(
    ("type_", "newest", "outcome"),
    [
        ("TIMESTAMP", "2013-01-26 00:00:00", HELD),
        ("TIMESTAMP", "2013-01-24 23:59:59", BROKEN),
        ("TIMESTAMPTZ", "2013-01-26 00:00:00+00", HELD),
        ("TIMESTAMPTZ", "2013-01-24 23:59:59+00", BROKEN),
        ("DATE", "2013-01-25", HELD),
        ("DATE", "2013-01-24", BROKEN),
        ("TIMESTAMP", None, BROKEN),
    ],
)
def test_freshness_is_judged_on_what_is_published_as_of_the_moment_of_the_check(engine, type_, newest, outcome):
    guarded = promised(columns=(Column("at", type_),), freshness=Freshness(column="at", within="35 days"))
    relation = f"(SELECT {literal(newest)}::{type_} AS at)"
    assert not any(
        r.scope is Scope.PUBLISHED for r in check(engine, guarded, {Scope.BATCH: relation}, data_now=NOW).results
    )
    found = check(engine, guarded, {Scope.PUBLISHED: relation}, data_now=NOW)
    assert [(r.name, r.outcome) for r in found.results] == [("column_max_to_be_between__at", outcome)]
    assert (found.failing_sql, found.passing_sql) == (None, None)


def test_columns_that_ecluse_adds_are_not_the_tables(engine, gxe):
    guarded = promised(gxe.ExpectTableColumnCountToEqual(value=3))
    relation = f"(SELECT *, 'f:1' AS _origin FROM {rows((1, 1.0, 'a'))})"
    found = check(engine, guarded, {Scope.BATCH: relation}, data_now=NOW)
    assert found.results[-1].outcome is HELD
    assert engine.rows(found.passing_sql) == [(1, 1.0, "a", "f:1")]


class TestFailingRows:
    def test_every_failing_row_comes_with_all_that_it_broke(self, engine, gxe):
        guarded = promised(
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=10),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a", "b"]),
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=0, severity="warning"),
            gxe.ExpectColumnMaxToBeBetween(column="x", max_value=5),
        )
        batch = rows((1, 1.0, "a"), (2, 11.0, "z"), (3, 5.0, "z"), (4, None, None))
        found = check(engine, guarded, {Scope.BATCH: batch}, data_now=NOW)
        assert engine.rows(found.failing_sql) == [
            (2, 11.0, "z", ["column_values_to_be_between__x", "column_values_to_be_in_set__s"]),
            (3, 5.0, "z", ["column_values_to_be_in_set__s"]),
        ]
        assert engine.rows(found.passing_sql) == [(1, 1.0, "a"), (4, None, None)]

    def test_rows_also_leave_where_mostly_holds(self, engine, gxe):
        guarded = promised(gxe.ExpectColumnValuesToBeBetween(column="x", max_value=10, mostly=0.5))
        found = check(engine, guarded, {Scope.BATCH: rows((1, 1.0, "a"), (2, 11.0, "z"))}, data_now=NOW)
        assert found.results[-1].outcome is HELD
        assert engine.rows(found.failing_sql) == [(2, 11.0, "z", ["column_values_to_be_between__x"])]

    def test_a_condition_spares_the_rows_that_are_not_asked(self, engine, gxe):
        column = gx.module("great_expectations.expectations.row_conditions").Column
        guarded = promised(gxe.ExpectColumnValuesToNotBeNull(column="x", row_condition=column("s") == "a"))
        found = check(
            engine, guarded, {Scope.BATCH: rows((1, None, "a"), (2, None, "b"), (3, None, None))}, data_now=NOW
        )
        assert [row[0] for row in engine.rows(found.failing_sql)] == [1]

    def test_rows_that_only_gx_can_find_are_joined_by_their_position(self, engine, gxe):
        guarded = promised(
            in_words_of_pandas(gxe),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        )
        batch = rows((1, 1.0, "a"), (3, 1.0, "a"), (2, 5.0, "z"), (4, 1.0, "a"))
        found = check(engine, guarded, {Scope.BATCH: batch}, data_now=NOW)
        assert {r.name: r.executed_by for r in found.results[-2:]} == {
            "column_values_to_be_between__x": "gx",
            "column_values_to_be_in_set__s": "ecluse",
        }
        assert engine.rows(found.failing_sql) == [
            (2, 5.0, "z", ["column_values_to_be_between__x", "column_values_to_be_in_set__s"])
        ]
        assert engine.rows(found.passing_sql) == [(1, 1.0, "a"), (3, 1.0, "a"), (4, 1.0, "a")]

    def test_rows_out_of_order_fail_where_they_stand(self, engine, gxe):
        guarded = promised(
            gxe.ExpectColumnValuesToBeIncreasing(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        )
        batch = rows((1, 1.0, "a"), (3, 1.0, "a"), (2, 1.0, "z"), (None, 1.0, "a"), (1, 1.0, "a"), (4, 1.0, "a"))
        found = check(engine, guarded, {Scope.BATCH: batch}, data_now=NOW)
        assert {r.executed_by for r in found.results} == {"ecluse"}
        assert engine.rows(found.failing_sql) == [
            (2, 1.0, "z", ["column_values_to_be_increasing__id", "column_values_to_be_in_set__s"]),
            (1, 1.0, "a", ["column_values_to_be_increasing__id"]),
        ]
        assert [row[0] for row in engine.rows(found.passing_sql)] == [1, 3, None, 4]

    def test_all_copies_of_a_repeated_value_fail(self, engine, gxe):
        guarded = promised(
            gxe.ExpectColumnValuesToBeUnique(column="x"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["x", "s"], ignore_row_if="never"),
        )
        nan = float("nan")
        batch = rows((1, 1.0, None), (2, 1.0, None), (3, nan, None), (4, None, None), (5, 2.0, "a"))
        found = check(engine, guarded, {Scope.BATCH: batch}, data_now=NOW)
        both = ["column_values_to_be_unique__x", "compound_columns_to_be_unique__x_s"]
        broke = {row[0]: row[-1] for row in engine.rows(found.failing_sql)}
        assert broke == {1: both, 2: both, 3: both[1:], 4: both[1:]}

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.sampled_from([None, 0.0, 5.0, float("nan"), -1.0]),
                st.sampled_from([None, "a", "é1", "b2", "\n"]),
            ),
            min_size=1,
            max_size=12,
        )
    )
    def test_the_two_statements_cover_every_row_exactly_once(self, engine, gxe, values):
        guarded = promised(
            gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0, max_value=4, mostly=0.5),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex=r"^\w\d?$"),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex="(?!b)"),
            gxe.ExpectColumnValuesToBeUnique(column="s"),
            gxe.ExpectColumnValuesToBeIncreasing(column="id"),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="id", column_B="x"),
        )
        engine.run("CREATE OR REPLACE TABLE given AS SELECT *, row_number() OVER () AS n FROM " + rows(*values))
        found = check(engine, guarded, {Scope.BATCH: "given"}, data_now=NOW)
        failing = engine.rows(found.failing_sql) if found.failing_sql else []
        passing = engine.rows(found.passing_sql)
        assert sorted([row[3] for row in failing] + [row[3] for row in passing]) == list(range(1, len(values) + 1))
        assert [row[3] for row in passing] == sorted(row[3] for row in passing)
        for result in found.results:
            if result.row_level:
                assert sum(result.name in row[-1] for row in failing) == result.unexpected_count


class TestRecordsHoldNoValues:
    def test_values_of_columns_that_are_not_public_stay_out(self, engine, gxe):
        guarded = promised(
            gxe.ExpectColumnMaxToBeBetween(column="id", max_value=0),
            gxe.ExpectColumnMostCommonValueToBeInSet(column="s", value_set=["x"]),
            gxe.ExpectColumnDistinctValuesToBeInSet(column="s", value_set=["x"]),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["x"]),
        )
        found = check(engine, guarded, {Scope.BATCH: rows((424242, 1.0, "secret"))}, data_now=NOW)
        assert [r.outcome for r in found.results[-4:]] == [BROKEN] * 4
        written = str(found.gx_result.to_json_dict()) + str(found.results)
        assert "secret" not in written
        assert "424242" not in written

    def test_values_of_public_columns_and_counts_are_shown(self, engine, gxe):
        guarded = promised(
            gxe.ExpectColumnMaxToBeBetween(column="x", max_value=0),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="s", max_value=0),
            gxe.ExpectTableRowCountToEqual(value=7),
        )
        found = check(engine, guarded, {Scope.BATCH: rows((1, 1.5, "secret"))}, data_now=NOW)
        assert [r.observed for r in found.results[-3:]] == [1.5, 1, 1]

    def test_a_foreign_message_about_values_that_are_not_public_is_kept_back(self, engine, gxe):
        guarded = promised(gxe.ExpectColumnValuesToMatchJsonSchema(column="s", json_schema={"type": "object"}))
        found = check(engine, guarded, {Scope.BATCH: rows((1, 1.0, "secret {"))}, data_now=NOW)
        assert found.results[-1].outcome is NOT_COMPUTED
        assert "ecluse validate" in found.results[-1].message
        assert "secret" not in str(found.gx_result.to_json_dict())


def test_above_the_limit_gx_itself_is_not_asked(engine, gxe):
    guarded = promised(in_words_of_pandas(gxe))
    found = check(engine, guarded, {Scope.BATCH: rows((1, 1.0, "a"), (2, 1.0, "a"))}, data_now=NOW, gx_row_limit=1)
    assert found.results[-1].outcome is NOT_COMPUTED
    assert "2 rows are more than its limit of 1" in found.results[-1].message


def test_what_gx_can_not_compute_takes_nothing_else_with_it(engine, gxe):
    guarded = promised(
        gxe.ExpectColumnValuesToMatchJsonSchema(column="s", json_schema={"type": "object"}), in_words_of_pandas(gxe)
    )
    found = check(engine, guarded, {Scope.BATCH: rows((1, 1.0, "no JSON"))}, data_now=NOW)
    assert [(r.outcome, r.executed_by) for r in found.results[-2:]] == [(NOT_COMPUTED, "gx"), (HELD, "gx")]


def test_one_measure_that_fails_takes_no_other_with_it(engine, gxe):
    guarded = promised(
        gxe.ExpectColumnSumToBeBetween(column="id", min_value=0, meta={"ecluse": {"scope": "table"}}),
        gxe.ExpectColumnMeanToBeBetween(column="x", min_value=0, meta={"ecluse": {"scope": "table"}}),
        gxe.ExpectColumnValuesToNotBeNull(column="s", meta={"ecluse": {"scope": "table"}}),
    )
    # Reading id raises, and only the sum reads it.
    broken = "(SELECT error('unreadable')::BIGINT AS id, 1.0::DOUBLE AS x, 'a' AS s)"
    found = check(engine, guarded, {Scope.TABLE: broken}, data_now=NOW)
    assert [r.outcome for r in found.results] == [NOT_COMPUTED, HELD, HELD]


def test_an_expectation_of_ones_own_runs_on_gx(engine, gxe):
    class ExpectColumnValuesToBeKind(gxe.ExpectColumnValuesToBeBetween):
        """A class that GX doesn't ship."""

        def _validate(self, *args, **kwargs):
            raise RuntimeError("not today")

    found = check(
        engine,
        promised(ExpectColumnValuesToBeKind(column="x", min_value=0)),
        {Scope.BATCH: rows((1, 1.0, "a"))},
        data_now=NOW,
    )
    assert (found.results[-1].outcome, found.results[-1].message) == (NOT_COMPUTED, "not today")


def test_no_copy_is_kept_of_a_column_that_may_be_personal(engine, gxe, tmp_path):
    values = rows((1, 1.0, "a"), (2, 2.0, "b"), (3, 5.0, "c"))
    files = TableFiles((FileRows("a digest", values, 3),), tmp_path / "measures")
    guarded = promised(
        gxe.ExpectColumnMedianToBeBetween(column="id", max_value=5),
        gxe.ExpectColumnMedianToBeBetween(column="x", max_value=5),
    )
    found = check(engine, guarded, {Scope.BATCH: values}, data_now=NOW, files={Scope.BATCH: files})
    told = {r.name: (r.outcome, r.executed_by) for r in found.results if "median" in r.name}
    assert told == {
        "column_median_to_be_between__id": (HELD, "ecluse"),
        "column_median_to_be_between__x": (HELD, "ecluse (merged)"),
    }
    assert len(list((tmp_path / "measures").glob("*.runs"))) == 1
