"""GX is the oracle for every kind of value: nullable and large integers, infinities, booleans, times and zones,
DATE, decimals, Unicode.
"""

import datetime as dt
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecluse.quality import gx, validate
from tests.quality.test_same_as_gx import assert_same

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    E = gx.expectations()
    Column = gx.module("great_expectations.expectations.row_conditions").Column

BIG = 2**53 + 1
NOON = pd.Timestamp("2013-01-01 12:00").to_pydatetime()
SPRING = pd.Timestamp("2013-03-10 07:00", tz="UTC").to_pydatetime()


def expectations():
    for name in ("n", "x", "b", "t", "z", "d", "m", "u"):
        yield E.ExpectColumnValuesToNotBeNull(column=name, mostly=0.5)
        yield E.ExpectColumnValuesToBeNull(column=name)
        yield E.ExpectColumnValuesToBeUnique(column=name)
        yield E.ExpectColumnProportionOfNonNullValuesToBeBetween(column=name, min_value=0.5)
        yield E.ExpectColumnValuesToBeBetween(column="n", max_value=1, row_condition=Column(name).is_not_null())
    yield E.ExpectColumnValuesToBeBetween(column="n", min_value=-1, max_value=BIG - 1)
    yield E.ExpectColumnValuesToBeInSet(column="n", value_set=[0, BIG])
    yield E.ExpectColumnValuesToNotBeInSet(column="n", value_set=[BIG])
    yield E.ExpectColumnMaxToBeBetween(column="n", max_value=BIG - 2)
    yield E.ExpectColumnUniqueValueCountToBeBetween(column="n", min_value=2)
    yield E.ExpectColumnValuesToBeBetween(column="x", min_value=0)
    yield E.ExpectColumnValuesToBeBetween(column="x", max_value=0, strict_max=True)
    yield E.ExpectColumnValuesToBeInSet(column="x", value_set=[0.0, 1.5])
    yield E.ExpectColumnMinToBeBetween(column="x", min_value=0)
    yield E.ExpectColumnMaxToBeBetween(column="x", max_value=2)
    yield E.ExpectColumnPairValuesToBeEqual(column_A="x", column_B="y", ignore_row_if="neither")
    yield E.ExpectColumnPairValuesAToBeGreaterThanB(column_A="x", column_B="y")
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["x", "n"])
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["u", "t"], ignore_row_if="any_value_is_missing")
    yield E.ExpectColumnValuesToBeInSet(column="b", value_set=[True])
    yield E.ExpectColumnValuesToBeBetween(column="t", min_value=NOON)
    yield E.ExpectColumnMinToBeBetween(column="t", min_value=NOON)
    yield E.ExpectColumnValuesToBeBetween(column="z", max_value=SPRING)
    yield E.ExpectColumnMaxToBeBetween(column="z", max_value=SPRING, strict_max=True)
    yield E.ExpectColumnValuesToBeIncreasing(column="z")
    yield E.ExpectColumnValuesToBeBetween(column="d", min_value=dt.date(2013, 3, 1))
    yield E.ExpectColumnValuesToBeBetween(column="d", max_value=dt.date(2013, 3, 1), strict_max=True)
    yield E.ExpectColumnValuesToBeInSet(column="d", value_set=[dt.date(2012, 2, 29)])
    yield E.ExpectColumnMinToBeBetween(column="d", min_value=dt.date(1900, 1, 1))
    yield E.ExpectColumnMaxToBeBetween(column="d", max_value=dt.date(2013, 1, 1))
    yield E.ExpectColumnUniqueValueCountToBeBetween(column="d", max_value=2)
    yield E.ExpectColumnValuesToBeBetween(column="m", min_value=0, max_value=100)
    yield E.ExpectColumnValuesToBeInSet(column="m", value_set=[Decimal("0.10"), Decimal("-3.00")])
    yield E.ExpectColumnMinToBeBetween(column="m", min_value=0)
    yield E.ExpectColumnMaxToBeBetween(column="m", max_value=100, strict_max=True)
    yield E.ExpectColumnSumToBeBetween(column="m", max_value=100)
    yield E.ExpectColumnUniqueValueCountToBeBetween(column="m", max_value=2)
    yield E.ExpectCompoundColumnsToBeUnique(column_list=["d", "m"])
    yield E.ExpectColumnValueLengthsToBeBetween(column="u", min_value=1, max_value=2)
    yield E.ExpectColumnValuesToMatchRegex(column="u", regex=r"^\w+$")
    yield E.ExpectColumnValuesToMatchRegex(column="u", regex=r"(?i)^É|ß|\u0130$")
    yield E.ExpectColumnValuesToNotMatchRegex(column="u", regex=r"\s|\d")
    yield E.ExpectColumnDistinctValuesToContainSet(column="u", value_set=["é", "e\u0301"])
    yield E.ExpectColumnMostCommonValueToBeInSet(column="u", value_set=["é"], ties_okay=True)


WORDS = ["é", "e\u0301", "É", "ß", "SS", "\u0130", "i", "👩\u200d🚀", "\u00a0", "٣", "\x00", "", "a b"]


@st.composite
def frames(draw):
    size = draw(st.integers(0, 6))

    def column(values):
        return draw(st.lists(st.sampled_from([*values, None]), min_size=size, max_size=size))

    numbers = [0.0, -0.0, 1.5, 1e308, 5e-324, np.inf, -np.inf, np.nan]
    days = [dt.date(2013, 3, 1), dt.date(2012, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31)]
    sums = [Decimal("0.10"), Decimal("-3.00"), Decimal("99.99"), Decimal("1234567890123456.78")]
    moments = ["2013-01-01 12:00", "2013-03-10 06:59:59.999999", "2013-03-10 07:00", "2013-11-03 05:30"]
    return pd.DataFrame(
        {
            "n": pd.Series(column([0, -1, BIG, BIG - 1, 2**63 - 1, -(2**63)]), dtype="Int64"),
            "x": pd.Series(column(numbers), dtype="float64"),
            "y": pd.Series(column(numbers), dtype="float64"),
            "b": pd.Series(column([True, False]), dtype="boolean"),
            "t": pd.Series(pd.to_datetime(column(moments), format="ISO8601"), dtype="datetime64[us]"),
            "z": pd.Series(pd.to_datetime(column(moments), format="ISO8601", utc=True)),
            "d": pd.Series(column(days), dtype=pd.ArrowDtype(pa.date32())),
            "m": pd.Series(column(sums), dtype=pd.ArrowDtype(pa.decimal128(18, 2))),
            "u": pd.Series(column(WORDS), dtype=object),
        }
    )


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=frames(), result_format=st.sampled_from(["SUMMARY", "COMPLETE"]))
def test_every_kind_of_value_is_judged_as_gx_judges_it(great_expectations, suite_of, frame, result_format):
    assert_same(great_expectations, frame, suite_of(*expectations()), result_format)


def test_times_of_any_zone_are_compared_as_moments_and_shown_in_utc(great_expectations, suite_of):
    moments = pd.to_datetime(["2013-03-10 06:59", "2013-03-10 07:00"], utc=True)
    frame = pd.DataFrame({"z": pd.Series(moments).dt.tz_convert("America/New_York")})
    suite = suite_of(
        E.ExpectColumnValuesToBeBetween(column="z", max_value=SPRING),
        E.ExpectColumnValuesToBeBetween(column="z", max_value=SPRING, strict_max=True),
    )
    mine, theirs = validate(frame, suite), great_expectations(frame, suite, "SUMMARY")
    assert [r.success for r in mine.results] == [r.success for r in theirs.results] == [True, False]
    shown = [r.results[1].to_json_dict()["result"]["partial_unexpected_list"] for r in (mine, theirs)]
    assert shown == [["2013-03-10T07:00:00+00:00"], ["2013-03-10T03:00:00-04:00"]]


def test_a_bound_is_held_against_the_whole_number_and_not_its_nearest_float(great_expectations, suite_of):
    frame = pd.DataFrame({"n": pd.Series([BIG], dtype="Int64")})
    suite = suite_of(E.ExpectColumnMaxToBeBetween(column="n", max_value=BIG - 1))
    mine, theirs = validate(frame, suite), great_expectations(frame, suite, "SUMMARY")
    assert [r.results[0].to_json_dict()["result"]["observed_value"] for r in (mine, theirs)] == [BIG, BIG]
    assert (mine.success, theirs.success) == (False, True)
