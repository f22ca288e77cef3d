"""What could not be computed is neither good nor bad; results that GX's own tools read; classes of one's own."""

import warnings
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.quality import gx, validate
from tests.quality.test_same_as_gx import assert_same, raised

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    E = gx.expectations()
    Column = gx.module("great_expectations.expectations.row_conditions").Column
    BASE = gx.module("great_expectations.expectations.expectation")


def query(sql):
    return E.UnexpectedRowsExpectation(unexpected_rows_query=sql)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        # Ten times the widest decimal.
        (E.ExpectColumnSumToBeBetween(column="wide", min_value=0), "verflow"),
        (query("SELECT * FROM {batch} WHERE s::INTEGER > 0"), "Conversion"),
        (query("SELECT * FROM {batch} WHERE error('gone')"), "gone"),
        (query("SELECT * FROM {batch} WHERE"), "Parser"),
        (E.ExpectColumnMaxToBeBetween(column="nope", max_value=1), "The columns are: i, s, wide."),
        (E.ExpectColumnPairValuesToBeEqual(column_A="i", column_B="nope"), "nope"),
        (E.ExpectCompoundColumnsToBeUnique(column_list=["i", "nope"]), "nope"),
        (E.ExpectColumnValuesToNotBeNull(column="i", row_condition=Column("nope") > 1), "nope"),
        (E.ExpectColumnValuesToBeBetween(column="i", min_value=2, max_value=1), "above the highest"),
        (E.ExpectColumnValuesToMatchRegex(column="s", regex="("), "unterminated"),
    ],
)
def test_what_could_not_be_computed_is_neither_good_nor_bad_and_takes_nothing_with_it(tmp_path, suite_of, asked, says):
    table = pa.table({"i": list(range(10)), "s": ["a"] * 10, "wide": [Decimal(10**38 - 1)] * 10})
    pq.write_table(table, tmp_path / "t.parquet")
    good, bad = (
        E.ExpectColumnMinToBeBetween(column="i", max_value=0),
        E.ExpectColumnMinToBeBetween(column="i", min_value=1),
    )
    result = validate(tmp_path / "t.parquet", suite_of(good, asked, bad))
    assert [r.success for r in result.results] == [True, False, False]
    assert [raised(r) for r in result.results] == [False, True, False]
    failed = result.results[1]
    assert says in str(failed.exception_info)
    assert not failed.result
    assert not result.success


def test_the_data_docs_of_gx_show_the_results(suite_of):
    frame = pd.DataFrame({"i": [1, 2, 3], "s": ["a", "xyz", None]})
    asked = suite_of(
        E.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        E.ExpectColumnMeanToBeBetween(column="i", min_value=0),
        E.ExpectTableRowCountToEqual(value=4),
        E.ExpectColumnMaxToBeBetween(column="nope", max_value=1),
        E.ExpectColumnQuantileValuesToBeBetween(
            column="i", quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 1]]}
        ),
    )
    result = validate(frame, asked, result_format="COMPLETE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        renderer = gx.module("great_expectations.render.renderer").ValidationResultsPageRenderer()
        view = gx.module("great_expectations.render.view").DefaultJinjaPageView()
        page = view.render(renderer.render(result))
    assert "xyz" in page
    assert "The columns are: i, s." in page
    assert "Expectation Suite" in page


def test_a_class_of_ones_own_over_what_gx_measures_is_measured_by_sql(great_expectations, suite_of):
    class ExpectDelayToBePlausible(E.ExpectColumnValuesToBeBetween):
        """A name and bounds of one's own."""

        column: str = "delay"
        min_value: int = -60
        max_value: int = 1800

    class ExpectColumnRangeToBeSmall(BASE.ColumnAggregateExpectation):
        """A judgement of one's own, of measures that GX has."""

        metric_dependencies = ("column.min", "column.max")
        success_keys = ("most",)
        most: float = 0

        def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
            found = metrics["column.max"] - metrics["column.min"]
            return {"success": found <= self.most, "result": {"observed_value": found}}

    class ExpectColumnMaxToBeSaid(E.ExpectColumnMaxToBeBetween):
        """A way of one's own to judge, over GX's."""

        def metrics_validate(self, metrics, **given):
            found = super().metrics_validate(metrics, **given)
            found.result["said"] = "the largest"
            return found

    frame = pd.DataFrame({"delay": [-10, 30, 2000]})
    asked = suite_of(
        ExpectDelayToBePlausible(),
        ExpectColumnRangeToBeSmall(column="delay", most=100),
        ExpectColumnMaxToBeSaid(column="delay", max_value=1800),
    )
    found = validate(frame, asked).results
    assert [r.meta["ecluse"]["executed_by"] for r in found] == ["ecluse"] * 3
    assert found[2].result == {"observed_value": 2000, "said": "the largest"}
    assert_same(great_expectations, frame, asked, "COMPLETE")
