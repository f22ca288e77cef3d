import json
import socket
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.engine import Engine
from ecluse.errors import DefinitionError, SourceError
from ecluse.quality import gx, read_suite, validate

TABLE = pa.table({"id": pa.array([1, 2, None], pa.int64()), "x": [0.5, 2.0, None], "s": ["a", "b", None]})


def suite(gxe):
    return gx.module().ExpectationSuite(
        "any",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=1),
            gxe.ExpectColumnValuesToNotBeNull(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a", "b"]),
            gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=3, double_sided=True),
        ],
    )


def give(kind, folder):
    csv, parquet = folder / "a.csv", folder / "a.parquet"
    match kind:
        case "csv":
            csv.write_text("id,x,s\n1,0.5,a\n2,2.0,b\n,,\n")
            return csv
        case "parquet text":
            pq.write_table(TABLE, parquet)
            return str(parquet)
        case "parquet files":
            pq.write_table(TABLE.slice(0, 1), parquet)
            pq.write_table(TABLE.slice(1), folder / "b.parquet")
            return [parquet, folder / "b.parquet"]
        case "arrow":
            return TABLE
        case "pandas":
            return TABLE.to_pandas()
        case "polars":
            return pl.from_arrow(TABLE)
        case "lazy polars":
            return pl.from_arrow(TABLE).lazy()


@pytest.mark.parametrize("kind", ["csv", "parquet text", "parquet files", "arrow", "pandas", "polars", "lazy polars"])
def test_any_data_gives_the_same_result(gxe, tmp_path, kind):
    result = validate(give(kind, tmp_path), suite(gxe))
    assert type(result).__name__ == "ExpectationSuiteValidationResult"
    assert [r.success for r in result.results] == [False, False, True, True]
    assert [r.result["unexpected_count"] for r in result.results] == [1, 1, 0, 0]
    assert [r.result["partial_unexpected_index_list"] for r in result.results] == [[1], [2], [], []]
    assert [r.meta["ecluse"]["executed_by"] for r in result.results] == ["ecluse"] * 4
    assert result.statistics["unsuccessful_expectations"] == 2
    json.dumps(result.to_json_dict())


def test_a_duckdb_relation_is_data(gxe):
    with Engine() as engine:
        engine.connection.register("given", TABLE)
        result = validate(engine.relation("SELECT * FROM given"), suite(gxe))
    assert [r.success for r in result.results] == [False, False, True, True]


def test_ids_above_two_to_the_53_keep_their_digits(gxe):
    big = 2**53 + 1
    data = pa.table({"id": pa.array([big, None], pa.int64())})
    found = validate(
        data,
        gx.module().ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeInSet(column="id", value_set=[1])]),
    )
    assert found.results[0].result["partial_unexpected_list"] == [big]


def test_an_error_is_never_a_success(gxe):
    asked = gx.module().ExpectationSuite(
        "s", expectations=[gxe.ExpectColumnValuesToBeBetween(column="nope", max_value=1)]
    )
    result = validate(TABLE, asked)
    assert result.success is False
    assert result.results[0].exception_info["raised_exception"] is True
    assert "The columns are: id, x, s." in result.results[0].exception_info["exception_message"]


def test_suite_parameters_fill_the_suite(gxe):
    asked = gx.module().ExpectationSuite(
        "s", expectations=[gxe.ExpectColumnMaxToBeBetween(column="x", max_value={"$PARAMETER": "most"})]
    )
    assert validate(TABLE, asked, suite_parameters={"most": 2}).success
    assert not validate(TABLE, asked, suite_parameters={"most": 1}).success
    assert "most" in validate(TABLE, asked).results[0].exception_info["exception_message"]


@pytest.mark.parametrize("names", [["DOUBLE"], ["float64"], ["float"], ["VARCHAR", "DOUBLE"]])
def test_types_go_by_the_names_of_sql_and_of_python(gxe, names):
    asked = gx.module().ExpectationSuite(
        "s", expectations=[gxe.ExpectColumnValuesToBeInTypeList(column="x", type_list=names)]
    )
    assert validate(TABLE, asked).success


@pytest.mark.parametrize(
    ("type_", "holds"), [("int64", True), ("float64", False), ("BIGINT", True), ("VARCHAR", False)]
)
def test_types_of_a_frame_are_those_of_pandas_too(gxe, type_, holds):
    asked = gx.module().ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeOfType(column="n", type_=type_)])
    assert validate(pd.DataFrame({"n": [1, 2]}), asked).results[0].success is holds


def test_an_unknown_type_could_not_be_computed(gxe):
    asked = gx.module().ExpectationSuite("s", expectations=[gxe.ExpectColumnTypeToBe(column="x", type_="WIDGET")])
    assert "WIDGET" in validate(TABLE, asked).results[0].exception_info["exception_message"]


def test_a_users_own_query_finds_failing_rows(gxe):
    asked = gx.module().ExpectationSuite(
        "s",
        expectations=[
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query="SELECT * FROM {batch} WHERE x > 1", description="low x"
            )
        ],
    )
    result = validate(TABLE, asked).results[0]
    assert (result.success, result.result["observed_value"]) == (False, 1)


def test_like_patterns_run_where_gx_on_pandas_has_none(gxe):
    asked = gx.module().ExpectationSuite(
        "s", expectations=[gxe.ExpectColumnValuesToMatchLikePattern(column="s", like_pattern="a%")]
    )
    result = validate(TABLE, asked).results[0]
    assert result.result["unexpected_count"] == 1


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ("nowhere.parquet", SourceError, "no file at nowhere.parquet"),
        (__file__, DefinitionError, "ending in .parquet or .csv"),
        (42, DefinitionError, "A int was given"),
        ([], DefinitionError, "A list was given"),
    ],
)
def test_other_data_is_refused_clearly(gxe, data, error, says):
    with pytest.raises(error, match=says):
        validate(data, suite(gxe))


def test_a_damaged_file_is_refused_clearly(gxe, tmp_path):
    damaged = tmp_path / "a.parquet"
    damaged.write_bytes(b"PAR1 not really")
    with pytest.raises(SourceError, match="can't be read"):
        validate(damaged, suite(gxe))


def test_another_result_format_is_refused(gxe):
    with pytest.raises(DefinitionError, match="BOOLEAN_ONLY, BASIC, SUMMARY, COMPLETE"):
        validate(TABLE, suite(gxe), result_format="EVERYTHING")


def test_something_else_than_a_suite_is_refused():
    with pytest.raises(DefinitionError, match="ExpectationSuite"):
        validate(TABLE, {"expectations": []})


def test_a_suite_is_read_as_gx_stores_it(gxe, tmp_path):
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(suite(gxe).to_json_dict()))
    assert read_suite(path) == suite(gxe)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"name": "s", "expectations": [{"type": "expect_nothing_known", "kwargs": {}}]}']
)
def test_a_damaged_suite_is_refused(tmp_path, text):
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(DefinitionError, match="can't be read as a suite"):
        read_suite(path)


def test_a_suite_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match="no suite at"):
        read_suite(tmp_path / "suite.json")


def test_nothing_is_sent_anywhere(gxe, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(validate(TABLE, suite(gxe)).results) == 4


def test_importing_the_package_loads_neither_gx_nor_pandas():
    script = (
        "import sys, ecluse.quality; print([m for m in ('great_expectations', 'pandas', 'scipy') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )


def test_python_objects_in_a_frame_are_left_to_gx(gxe, great_expectations):
    frame = pd.DataFrame(
        {"x": [1, "a", None], "period": pd.period_range("2013-01", periods=3, freq="M"), "n": [1, 2, 3]}
    )
    asked = gx.module().ExpectationSuite(
        "s",
        expectations=[
            gxe.ExpectColumnValuesToBeInSet(column="x", value_set=[1]),
            gxe.ExpectColumnValuesToNotBeNull(column="x"),
            gxe.ExpectColumnValuesToNotBeNull(column="period"),
            gxe.ExpectColumnValuesToBeBetween(column="n", max_value=2),
        ],
    )
    ours, theirs = validate(frame, asked, result_format="COMPLETE"), great_expectations(frame, asked, "COMPLETE")
    assert [r.meta["ecluse"]["executed_by"] for r in ours.results] == ["gx", "gx", "gx", "ecluse"]
    assert [str(r.to_json_dict()["result"]) for r in ours.results] == [
        str(r.to_json_dict()["result"]) for r in theirs.results
    ]


def test_failing_rows_come_along_where_they_are_asked_for(gxe, great_expectations):
    wanted = {"result_format": "SUMMARY", "include_unexpected_rows": True, "partial_unexpected_count": 1}
    frame = pd.DataFrame({"x": [0.0, 5.0, 6.0], "s": ["a", "b", "c"]}, index=[4, 5, 6])
    asked = gx.module().ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeBetween(column="x", max_value=1)])
    ours, theirs = (
        v(frame, asked, result_format=wanted).results[0].result["unexpected_rows"]
        for v in (validate, great_expectations)
    )
    assert str(ours) == str(theirs)
    assert (
        len(validate(pa.Table.from_pandas(frame), asked, result_format=wanted).results[0].result["unexpected_rows"])
        == 1
    )


def test_row_labels_are_those_of_the_frame(gxe):
    frame = pd.DataFrame({"x": [0.0, 5.0]}, index=["first", "second"])
    asked = gx.module().ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeBetween(column="x", max_value=1)])
    assert validate(frame, asked).results[0].result["partial_unexpected_index_list"] == ["second"]
