import json
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.cli.app import app
from ecluse.errors import NotComputed, StorageError
from ecluse.quality import failing_rows, validate

TABLE = pa.table({"id": [1, 2, 3, 3], "x": [0.5, 9.0, None, 1.0], "s": ["a", "zz", None, "b"]})


def read(data, suite):
    with failing_rows(data, suite) as batches:
        return batches.read_all()


def broken(gxe):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=5, mostly=0.1),
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=8, severity="warning"),
            gxe.ExpectColumnMaxToBeBetween(column="x", max_value=1),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeIncreasing(column="id", strictly=True),
            gxe.ExpectColumnValuesToMatchJsonSchema(
                column="s", json_schema={}, row_condition="id > 9", condition_parser="pandas"
            ),
        ]


def test_every_failing_row_comes_with_all_that_it_broke(gxe, suite_of):
    found = read(TABLE, suite_of(*broken(gxe)))
    assert found.column_names == ["id", "x", "s", "_broke"]
    assert found.to_pylist() == [
        {
            "id": 2,
            "x": 9.0,
            "s": "zz",
            "_broke": ["column_values_to_be_between__x", "column_values_to_be_between__x_2"],
        },
        {"id": 3, "x": None, "s": None, "_broke": ["column_values_to_be_unique__id"]},
        {
            "id": 3,
            "x": 1.0,
            "s": "b",
            "_broke": ["column_values_to_be_unique__id", "column_values_to_be_increasing__id"],
        },
    ]


def test_there_is_no_limit_to_failing_rows(gxe, suite_of):
    suite = suite_of(gxe.ExpectColumnValuesToBeBetween(column="n", min_value=100))
    assert read(pa.table({"n": range(300_000)}), suite).column("n").to_pylist() == list(range(100))
    with failing_rows(pa.table({"n": range(300_000)}), suite_of(gxe.ExpectColumnValuesToBeNull(column="n"))) as batches:
        sizes = [batch.num_rows for batch in batches]
    assert sum(sizes) == 300_000
    assert len(sizes) > 1


def test_where_nothing_fails_the_stream_is_empty_and_typed(gxe, suite_of):
    found = read(TABLE, suite_of(gxe.ExpectColumnValuesToNotBeNull(column="id")))
    assert found.num_rows == 0
    assert found.schema.field("_broke").type == pa.list_(pa.string())


@pytest.mark.parametrize("column", ["nope", "x"])
def test_what_can_not_be_asked_is_no_empty_answer(gxe, suite_of, tmp_path, column):
    suite = suite_of(gxe.ExpectColumnValuesToMatchRegex(column=column, regex="("))
    with (
        pytest.raises(NotComputed, match=f"column_values_to_match_regex__{column} can't be told"),
        failing_rows(TABLE, suite),
    ):
        pass
    with pytest.raises(NotComputed):
        validate(TABLE, suite, failing_rows=tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    values=st.lists(
        st.tuples(st.sampled_from([None, 0.0, 5.0, float("nan"), float("inf")]), st.integers(0, 3)), min_size=1
    )
)
def test_as_many_rows_fail_as_results_count(gxe, suite_of, values):
    data = pa.table(
        {"x": [v[0] for v in values], "n": [v[1] for v in values]}, pa.schema({"x": "double", "n": "int64"})
    )
    suite = suite_of(
        gxe.ExpectColumnValuesToNotBeNull(column="x"),
        gxe.ExpectColumnValuesToBeBetween(column="x", min_value=1),
        gxe.ExpectColumnValuesToBeDecreasing(column="x"),
        gxe.ExpectColumnValuesToNotBeOutliers(column="n", method="std", multiplier=1),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["x", "n"]),
    )
    counts = [r.result["unexpected_count"] for r in validate(data, suite).results]
    broke = [name for row in read(data, suite).column("_broke").to_pylist() for name in row]
    names = [
        "column_values_to_not_be_null__x",
        "column_values_to_be_between__x",
        "column_values_to_be_decreasing__x",
        "column_values_to_not_be_outliers__n",
        "compound_columns_to_be_unique__x_n",
    ]
    assert [broke.count(name) for name in names] == counts


def test_the_command_writes_them_to_a_file(gxe, suite_of, tmp_path):
    data, out, path = tmp_path / "data.parquet", tmp_path / "out.parquet", tmp_path / "suite.json"
    pq.write_table(TABLE, data)
    suite = suite_of(*broken(gxe)[:2])
    path.write_text(json.dumps(suite.to_json_dict()))
    done = CliRunner().invoke(
        app, ["validate", str(path), str(data), "--failing-rows", str(out), "--result-format", "BOOLEAN_ONLY"]
    )
    assert done.exit_code == 2, done.output
    assert pq.read_table(out) == read(data, suite)


def test_a_file_that_can_not_be_written_is_an_error(gxe, suite_of, tmp_path):
    with pytest.raises(StorageError, match="can't be written"):
        validate(TABLE, suite_of(*broken(gxe)), failing_rows=tmp_path / "nowhere" / "out.parquet")
    assert list(tmp_path.iterdir()) == []
