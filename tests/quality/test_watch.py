"""A validation that is watched: how far it is, its end when somebody stops it, and the memory that it may use."""

import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.engine import Cancelled as EngineCancelled
from ecluse.engine import Engine, Watch
from ecluse.errors import Cancelled, DefinitionError
from ecluse.quality import explain, failing_rows, shortcuts, validate

ENDLESS = "SELECT count(*) FROM range(1000000000000) AS r(i) WHERE hash(i) % 7 = 3"


@pytest.fixture
def endless(gxe, suite_of):
    """A query that nobody waits for, as an expectation."""
    return suite_of(
        gxe.UnexpectedRowsExpectation(unexpected_rows_query=f"SELECT * FROM {{batch}} WHERE i = ({ENDLESS})")
    )


@pytest.fixture
def path(tmp_path):
    pq.write_table(pa.table({"i": [1, 2, 2, None]}), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def cancelled_while_it_scans(watch):
    def cancel():
        while watch.stage != "judging":
            time.sleep(0.01)
        watch.cancel()

    threading.Thread(target=cancel, daemon=True).start()
    return watch


def test_an_engine_tells_a_statement_that_was_stopped_from_one_that_failed():
    watch = Watch()
    with Engine(watch=watch) as engine:
        threading.Timer(0.1, watch.cancel).start()
        with pytest.raises(EngineCancelled):
            engine.rows(ENDLESS)
        with pytest.raises(EngineCancelled):
            engine.scalar("SELECT 1")


def test_a_validation_that_is_stopped_judges_nothing(endless, path):
    with pytest.raises(Cancelled):
        validate(path, endless, watch=cancelled_while_it_scans(Watch()))


def test_failing_rows_that_are_stopped_end_in_an_error(gxe, suite_of, path):
    watch = Watch()
    asked = suite_of(gxe.ExpectColumnValuesToBeUnique(column="i"))

    def read():
        with failing_rows(path, asked, watch=watch) as batches:
            watch.cancel()
            list(batches)

    with pytest.raises(Cancelled):
        read()


def test_a_watch_tells_how_far_the_work_is(gxe, suite_of, path):
    watch = Watch()
    asked = suite_of(gxe.ExpectColumnValuesToBeUnique(column="i"), gxe.ExpectColumnMaxToBeBetween(column="i"))
    validate(path, asked, watch=watch)
    assert (watch.stage, watch.done, watch.total, watch.scanned()) == ("judging", 2, 2, None)


def test_what_does_not_fit_in_the_memory_limit_is_no_answer(gxe, suite_of, tmp_path):
    rows = 300_000
    pq.write_table(pa.table({"s": [f"{n:040}" for n in range(rows, 0, -1)]}), tmp_path / "t.parquet")
    asked = suite_of(gxe.ExpectColumnValuesToBeUnique(column="s"))
    assert validate(tmp_path / "t.parquet", asked, memory_limit="2GB").success
    small = validate(tmp_path / "t.parquet", asked, memory_limit="8MB")
    assert small.success or small.results[0].exception_info["raised_exception"]


def test_a_memory_limit_is_a_size(gxe, suite_of, path):
    with pytest.raises(DefinitionError, match="lots"):
        validate(path, suite_of(gxe.ExpectColumnToExist(column="i")), memory_limit="lots")


def test_a_plan_names_its_passes_and_who_shares_them(gxe, suite_of, path):
    plan = explain(
        path,
        suite_of(
            gxe.ExpectColumnValuesToBeUnique(column="i"),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="i", min_value=1),
            gxe.ExpectColumnMeanToBeBetween(column="i", min_value=1),
            gxe.ExpectColumnMedianToBeBetween(column="i", min_value=1),
            gxe.ExpectColumnValuesToBeOfType(column="i", type_="BIGINT"),
            gxe.ExpectColumnValuesToBeBetween(column="gone", min_value=1),
            gxe.ExpectTableRowCountToEqualOtherTable(other_table_name="t"),
        ),
    )
    passes = {each.kind: {c.what: c.shared_by for c in each.computes} for each in plan.passes}
    assert passes["grouping"] == {
        '"i" WHERE NOT ("i" IS NULL)': ("column_values_to_be_unique__i", "column_unique_value_count_to_be_between__i")
    }
    assert list(passes) == ["schema", "scan", "ranks", "grouping", "gx"]
    assert passes["ranks"] == {'"i"': ("column_median_to_be_between__i",)}
    assert list(passes["gx"].values()) == [("table_row_count_to_equal_other_table",)]
    assert list(plan.failed) == ["column_values_to_be_between__gone"]


def test_a_plan_says_where_keys_that_rise_need_no_grouping(gxe, suite_of, tmp_path, monkeypatch):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    pq.write_table(pa.table({"i": [1, 2, 3], "s": ["b", "a", "c"]}), tmp_path / "t.parquet")
    asked = suite_of(*(gxe.ExpectColumnValuesToBeUnique(column=name) for name in ("i", "s")))
    passes = {p.kind: [c.what for c in p.computes] for p in explain(tmp_path / "t.parquet", asked).passes}
    assert (passes["rising"], passes["grouping"]) == (['"i"'], ['"s"'])


def test_a_plan_tells_what_each_pass_reads(gxe, suite_of, tmp_path):
    table = pa.table({"i": [1, 2], "f": [0.5, 1.5], "unread": ["a", "b"]})
    pq.write_table(table, tmp_path / "t.parquet")
    asked = suite_of(
        gxe.ExpectTableColumnCountToEqual(value=3),
        gxe.ExpectColumnMeanToBeBetween(column="i", min_value=1),
        gxe.ExpectColumnMaxToBeBetween(column="f", min_value=1),
        gxe.ExpectColumnValuesToBeUnique(column="i"),
    )
    plan = explain(tmp_path / "t.parquet", asked)
    read = {each.kind: (each.statements, each.columns) for each in plan.passes}
    assert read == {"schema": (0, ()), "scan": (1, ("i", "f")), "grouping": (1, ("i",))}
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0)
    i, f, unread = (group.column(n).total_compressed_size for n in range(3))
    assert {each.kind: each.bytes for each in plan.passes} == {"schema": 0, "scan": i + f, "grouping": i}
    assert plan.bytes == i + f + unread
    held = explain(table, asked)
    assert (held.bytes, [each.bytes for each in held.passes]) == (None, [None, None, None])


def test_a_plan_over_kept_states_says_what_is_known(gxe, suite_of, path, tmp_path):
    asked = suite_of(
        gxe.ExpectColumnMeanToBeBetween(column="i", min_value=1),
        gxe.ExpectColumnMedianToBeBetween(column="i", min_value=1),
        gxe.ExpectColumnValuesToBeIncreasing(column="i"),
    )
    before = explain(path, asked, states=tmp_path / "states")
    validate(path, asked, states=tmp_path / "states")
    after = explain(path, asked, states=tmp_path / "states")
    assert (before.files, before.known, after.files, after.known) == (1, 0, 1, 1)
    again = next(each for each in after.passes if each.kind == "again")
    assert {c.what.rpartition(".")[0] for c in again.computes} == {"column_values.increasing"}
    for runs in (tmp_path / "states").glob("*.runs"):
        runs.unlink()
    assert explain(path, asked, states=tmp_path / "states").known == 0
