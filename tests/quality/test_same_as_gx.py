"""GX is the oracle: on the same frame, the same suite gives the same results, key for key."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecluse.quality import gx, validate
from ecluse.quality.coverage import measured_by_ecluse

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    E = gx.expectations()
    Column = gx.module("great_expectations.expectations.row_conditions").Column

LEGACY = {"row_condition": 'col("i") > 1', "condition_parser": "great_expectations"}


def expectations():
    """The common expectations; bounds and sets are chosen so that small data meets and breaks them."""
    yield E.ExpectTableRowCountToBeBetween(min_value=1, max_value=4)
    yield E.ExpectTableRowCountToEqual(value=3)
    yield E.ExpectTableColumnCountToEqual(value=6)
    yield E.ExpectTableColumnCountToBeBetween(min_value=7)
    yield E.ExpectTableColumnsToMatchSet(column_set=["i", "f", "zz"], exact_match=False)
    yield E.ExpectTableColumnsToMatchOrderedList(column_list=["i", "j", "f", "g", "s", "t"])
    yield E.ExpectColumnToExist(column="s")
    yield E.ExpectColumnToExist(column="zz")
    yield E.ExpectColumnValuesToNotBeNull(column="f")
    yield E.ExpectColumnValuesToNotBeNull(column="s", mostly=0.5)
    yield E.ExpectColumnValuesToBeNull(column="f")
    yield E.ExpectColumnValuesToBeBetween(column="i", min_value=0, max_value=2)
    yield E.ExpectColumnValuesToBeBetween(
        column="f", min_value=0, max_value=2, strict_min=True, strict_max=True, mostly=0.6
    )
    yield E.ExpectColumnValuesToBeBetween(column="f", max_value=1, row_condition=Column("i") > 1)
    yield E.ExpectColumnValuesToBeBetween(
        column="f", min_value=1, row_condition=(Column("s") == "a") | Column("f").is_null()
    )
    yield E.ExpectColumnValuesToBeBetween(
        column="i", max_value=2, row_condition=Column("i").is_in([1, 3]) & (Column("f") != 1.0)
    )
    yield E.ExpectColumnValuesToBeInSet(column="s", value_set=["a", "b"])
    yield E.ExpectColumnValuesToBeInSet(column="i", value_set=[0, 1, 2.0])
    yield E.ExpectColumnValuesToBeInSet(column="f", value_set=[])
    yield E.ExpectColumnValuesToNotBeInSet(column="s", value_set=["a", None])
    yield E.ExpectColumnValueLengthsToEqual(column="s", value=1)
    yield E.ExpectColumnValueLengthsToBeBetween(column="s", min_value=1, max_value=2, strict_max=True)
    yield E.ExpectColumnValuesToMatchRegex(column="s", regex=r"^[a-b]\d?$")
    yield E.ExpectColumnValuesToMatchRegex(column="s", regex=r"a(?!1)")
    yield E.ExpectColumnValuesToMatchRegex(column="s", regex=r"\w", mostly=0.5)
    yield E.ExpectColumnValuesToNotMatchRegex(column="s", regex=r"(?i)^A")
    yield E.ExpectColumnValuesToMatchRegexList(column="s", regex_list=["a", r"\d$"], match_on="all")
    yield E.ExpectColumnValuesToMatchRegexList(column="s", regex_list=["a", r"\d$"], match_on="any")
    yield E.ExpectColumnValuesToNotMatchRegexList(column="s", regex_list=["b", r"\s"])
    yield E.ExpectColumnValuesToMatchStrftimeFormat(column="s", strftime_format="%d")
    yield E.ExpectColumnValuesToBeDateutilParseable(column="s")
    yield E.ExpectColumnValuesToBeJsonParseable(column="s")
    yield E.ExpectColumnValuesToBeUnique(column="i")
    yield E.ExpectColumnValuesToBeUnique(column="s", mostly=0.5)
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["i", "f"])
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["i", "s"], ignore_row_if="any_value_is_missing")
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["f", "g"], ignore_row_if="never")
    yield E.ExpectColumnPairValuesAToBeGreaterThanB(column_A="i", column_B="j")
    yield E.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="f", column_B="g", or_equal=True, ignore_row_if="either_value_is_missing"
    )
    yield E.ExpectColumnPairValuesToBeEqual(column_A="f", column_B="g")
    yield E.ExpectColumnPairValuesToBeEqual(column_A="i", column_B="j", ignore_row_if="neither")
    yield E.ExpectColumnPairValuesToBeInSet(column_A="i", column_B="s", value_pairs_set=[(1, "a"), (2, None)])
    yield E.ExpectMulticolumnSumToEqual(column_list=["i", "j"], sum_total=3)
    yield E.ExpectMulticolumnSumToEqual(column_list=["f", "g"], sum_total=2)
    yield E.ExpectMulticolumnValuesToBeEqual(column_list=["f", "g"])
    yield E.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["i", "j"])
    yield E.ExpectColumnMinToBeBetween(column="f", min_value=0)
    yield E.ExpectColumnMaxToBeBetween(column="i", max_value=2, strict_max=True)
    yield E.ExpectColumnMeanToBeBetween(column="f", min_value=0, max_value=1)
    yield E.ExpectColumnSumToBeBetween(column="f", min_value=0, max_value=3, row_condition=Column("i") > 0)
    yield E.ExpectColumnStdevToBeBetween(column="f", min_value=0, max_value=1)
    yield E.ExpectColumnMedianToBeBetween(column="f", min_value=0, max_value=1)
    yield E.ExpectColumnQuantileValuesToBeBetween(
        column="i", quantile_ranges={"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[0, 1], [0, 2], [None, 3]]}
    )
    yield E.ExpectColumnUniqueValueCountToBeBetween(column="s", min_value=1, max_value=2)
    yield E.ExpectColumnProportionOfUniqueValuesToBeBetween(column="i", min_value=0.5)
    yield E.ExpectColumnProportionOfNonNullValuesToBeBetween(column="f", min_value=0.5)
    yield E.ExpectColumnMostCommonValueToBeInSet(column="i", value_set=[1, 2])
    yield E.ExpectColumnDistinctValuesToBeInSet(column="s", value_set=["a", "b", ""])
    yield E.ExpectColumnDistinctValuesToContainSet(column="i", value_set=[1, 2])
    yield E.ExpectColumnDistinctValuesToEqualSet(column="s", value_set=["a", "b"])
    yield E.ExpectColumnMaxToBeBetween(column="t", min_value=pd.Timestamp("2013-01-02").to_pydatetime())
    yield E.ExpectColumnValuesToBeIncreasing(column="i", strictly=True)
    yield E.ExpectColumnValuesToBeIncreasing(column="f")
    yield E.ExpectColumnValuesToBeIncreasing(column="t", mostly=0.5)
    yield E.ExpectColumnValuesToBeDecreasing(column="j", row_condition=Column("i") > 0)
    yield E.ExpectColumnValuesToBeDecreasing(column="f", strictly=True)
    yield E.ExpectColumnValueZScoresToBeLessThan(column="f", threshold=1, double_sided=True)
    yield E.ExpectColumnValueZScoresToBeLessThan(column="i", threshold=0.5, double_sided=False)
    yield E.ExpectColumnValueZScoresToBeLessThan(
        column="g", threshold=-1, double_sided=True, row_condition=Column("j") < 3
    )
    yield E.ExpectColumnValuesToNotBeOutliers(column="i", method="iqr")
    yield E.ExpectColumnValuesToNotBeOutliers(column="f", method="iqr", multiplier=0.5)
    yield E.ExpectColumnValuesToNotBeOutliers(column="f", method="std", multiplier=1, row_condition=Column("i") > 0)
    yield E.ExpectColumnValuesToNotBeOutliers(column="j", method="std", multiplier=0)
    yield E.ExpectColumnValuesToMatchJsonSchema(
        column="s", json_schema={"type": "object"}, row_condition=Column("s").is_in(["12", "{}"])
    )
    yield E.ExpectColumnValuesToMatchJsonSchema(column="s", json_schema={"type": "object"})
    for between in (True, "linear", "lower", "higher", "midpoint"):
        yield E.ExpectColumnQuantileValuesToBeBetween(
            column="f",
            quantile_ranges={"quantiles": [0.0, 0.25, 0.6, 1.0], "value_ranges": [[0, 1]] * 4},
            allow_relative_error=between,
        )
    yield E.ExpectColumnKLDivergenceToBeLessThan(
        column="s", partition_object={"values": ["a", "b", "é"], "weights": [0.5, 0.25, 0.25]}, threshold=0.5
    )
    yield E.ExpectColumnKLDivergenceToBeLessThan(
        column="i",
        partition_object={"values": [0, 1], "weights": [0.5, 0.5]},
        threshold=0.1,
        tail_weight_holdout=0.1,
    )
    yield E.ExpectColumnKLDivergenceToBeLessThan(
        column="f",
        partition_object={"bins": [-1, 0.5, 1, 2], "weights": [0.5, 0.25, 0.25]},
        threshold=0.5,
        tail_weight_holdout=0.01,
        internal_weight_holdout=0.01,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield E.ExpectColumnValuesToBeBetween(column="f", min_value=1, **LEGACY)
        yield E.ExpectColumnValuesToNotBeNull(column="s", row_condition="i > 1 and f < 2", condition_parser="pandas")


TEXTS = ["a", "b", "a1", "é", "b\n", "A", "", "12", " 1", "{}", "٣", "a\n1"]


@st.composite
def frames(draw, min_size=0):
    size = draw(st.integers(min_size, 6))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    number = st.sampled_from([0.0, 1.0, 2.0, -1.5, 0.1, None])
    index = draw(st.sampled_from([range(size), range(10, 10 + size)]))
    return pd.DataFrame(
        {
            "i": pd.Series(column(st.integers(0, 3)), dtype="int64"),
            "j": pd.Series(column(st.integers(0, 3)), dtype="int64"),
            "f": pd.Series(column(number), dtype="float64"),
            "g": pd.Series(column(number), dtype="float64"),
            "s": pd.Series(column(st.sampled_from([*TEXTS, None])), dtype=object),
            "t": pd.Series(
                column(st.sampled_from(pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03"]).tolist())),
                dtype="datetime64[ns]",
            ),
        }
    ).set_axis(pd.Index(list(index), dtype="int64"))


def plain(value):
    """A result as JSON, with missing values as None and floats to twelve digits."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is pd.NaT or value == "NaT" or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return None
    if isinstance(value, (float, int, np.integer, np.floating)) and not isinstance(value, bool):
        return float(f"{float(value):.12g}")
    return value


def compared(result):
    found = plain(result.to_json_dict())
    expected = dict(found["result"])
    for key, value in expected.items():
        # GX lists these in the order of a Python set.
        if isinstance(value, list) and key in {
            "unexpected_values",
            "missing_values",
            "partial_missing_list",
            "partial_unexpected_list",
        }:
            expected[key] = sorted(value, key=repr)
    return {"success": found["success"], **expected}


def raised(result):
    info = result.exception_info or {}
    return bool(info.get("raised_exception")) or any(
        isinstance(v, dict) and v.get("raised_exception") for v in info.values()
    )


def assert_same(great_expectations, frame, suite, result_format):
    theirs = great_expectations(frame, suite, result_format)
    ours = validate(frame, suite, result_format=result_format)
    assert [r.expectation_config.type for r in ours.results] == [e.configuration.type for e in suite.expectations]
    left, different = list(theirs.results), []
    for mine in ours.results:
        # GX moves what raised to the front: results are found by what was asked.
        key = mine.expectation_config.kwargs, mine.expectation_config.type
        match = next(r for r in left if (_kwargs(r), r.expectation_config.type) == key)
        left.remove(match)
        if raised(match):
            continue
        ours_is, theirs_is = compared(mine), compared(match)
        if raised(mine):
            different.append(f"{key}: {mine.exception_info}")
        different += [f"{key} {k}: {v} not {theirs_is.get(k)}" for k, v in ours_is.items() if v != theirs_is.get(k)]
        different += [f"{key} lacks {k}" for k in theirs_is.keys() - ours_is.keys()]
    assert not different, "\n".join([*different, str(frame)])


def _kwargs(result):
    return {k: v for k, v in result.expectation_config.kwargs.items() if k != "batch_id"}


# Shrinking is left out: an example costs a second, and small frames read well as they come.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=frames(min_size=1), result_format=st.sampled_from(["SUMMARY", "COMPLETE", "BASIC", "BOOLEAN_ONLY"]))
def test_results_are_those_of_gx(great_expectations, suite_of, frame, result_format):
    assert_same(great_expectations, frame, suite_of(*expectations()), result_format)


@pytest.mark.parametrize("rows", [0, 1])
def test_results_are_those_of_gx_on_missing_values(great_expectations, suite_of, rows):
    frame = pd.DataFrame(
        {
            "i": np.ones(rows, dtype="int64"),
            "j": np.ones(rows, dtype="int64"),
            "f": np.full(rows, np.nan),
            "g": np.full(rows, np.nan),
            "s": pd.Series([None] * rows, dtype=object),
            "t": pd.Series([pd.NaT] * rows, dtype="datetime64[ns]"),
        }
    )
    assert_same(great_expectations, frame, suite_of(*expectations()), "COMPLETE")


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
@pytest.mark.parametrize("query", [True, False])
@pytest.mark.parametrize("shown", [{}, {"partial_unexpected_count": 1}, {"unexpected_index_column_names": ["i"]}])
def test_every_result_format_says_what_gx_says_in_it(great_expectations, suite_of, result_format, query, shown):
    frame = pd.DataFrame({"i": [4, 5, 6, 7], "s": ["a", "x", "y", None], "t": ["a", "b", "y", "z"]})
    suite = suite_of(
        E.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        E.ExpectColumnPairValuesToBeEqual(column_A="s", column_B="t"),
        E.ExpectCompoundColumnsToBeUnique(column_list=["s", "t"]),
    )
    asked = {"result_format": result_format, "return_unexpected_index_query": query, **shown}
    assert_same(great_expectations, frame, suite, asked)


def test_failing_rows_carry_the_columns_that_name_them(great_expectations, suite_of):
    frame = pd.DataFrame(
        {"i": [1, 2, 3], "j": [1, 1, 1], "f": [0.0, 5.0, None], "g": [1.0, 1.0, 1.0], "s": ["a", "x", "x"]}
    )
    suite = suite_of(
        E.ExpectColumnValuesToBeBetween(column="f", max_value=1),
        E.ExpectColumnValuesToBeInSet(column="s", value_set=["a"]),
        E.ExpectColumnPairValuesToBeEqual(column_A="i", column_B="j"),
        E.ExpectCompoundColumnsToBeUnique(column_list=["j", "s"]),
    )
    wanted = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": ["i"],
        "return_unexpected_index_query": False,
    }
    assert_same(great_expectations, frame, suite, wanted)


def test_sql_measures_the_common_expectations(suite_of):
    frame = pd.DataFrame({"i": [1], "j": [1], "f": [1.0], "g": [1.0], "s": ["{}"], "t": [pd.Timestamp("2013-01-01")]})
    result = validate(frame, suite_of(*expectations()))
    by_gx = [
        r.expectation_config.kwargs.get("condition_parser", r.expectation_config.kwargs.get("allow_relative_error"))
        for r in result.results
        if r.meta["ecluse"]["executed_by"] == "gx"
    ]
    # The condition in pandas' own language is one that only pandas reads; the other isn't one of its interpolations.
    assert by_gx == [True, "pandas"]


def test_what_is_listed_as_measured_by_sql_is(suite_of):
    frame = pd.DataFrame({"i": [1], "j": [1], "f": [1.0], "g": [1.0], "s": ["{}"], "t": [pd.Timestamp("2013-01-01")]})
    found = {
        r.expectation_config.type: r.meta["ecluse"]["executed_by"] == "ecluse"
        for r in validate(frame, suite_of(*expectations())).results
        if r.expectation_config.kwargs.get("condition_parser") != "pandas"
        and r.expectation_config.kwargs.get("allow_relative_error") is not True
    }
    listed = measured_by_ecluse()
    assert len(listed) == 59
    assert found == {name: listed[name] for name in found}
    assert sorted(name for name, ours in listed.items() if not ours) == [
        "expect_query_results_to_match_comparison",
        "expect_table_row_count_to_equal_other_table",
    ]


def test_order_goes_by_values_where_a_difference_overflows_in_gx(great_expectations, suite_of):
    frame = pd.DataFrame({"u": pd.Series([3, 1], dtype="uint8")})
    suite = suite_of(E.ExpectColumnValuesToBeIncreasing(column="u", strictly=True))
    assert great_expectations(frame, suite, "BASIC").success
    assert validate(frame, suite).results[0].result["partial_unexpected_list"] == [1]
