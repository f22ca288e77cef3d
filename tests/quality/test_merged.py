"""Measures merged from the states of files are those of the whole, whatever happens to the files."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecluse.quality import gx, order, runs, validate

SCHEMA = pa.schema(
    {
        "i": "int64",
        "f": "float64",
        "d": pa.decimal128(12, 2),
        "s": "string",
        "t": pa.timestamp("us", "UTC"),
        "b": "bool",
    }
)
MERGED, WHOLE = "ecluse (merged)", "ecluse"


def suite(gxe):
    column = gx.module("great_expectations.expectations.row_conditions").Column
    numbers = [
        each(column=name, max_value=1)
        for name in ("i", "f", "d")
        for each in (gxe.ExpectColumnSumToBeBetween, gxe.ExpectColumnMeanToBeBetween, gxe.ExpectColumnStdevToBeBetween)
    ]
    thirds = {"quantiles": [0, 1 / 3, 0.5, 0.9], "value_ranges": [[0, 1]] * 4}
    far = [
        gxe.ExpectColumnValueZScoresToBeLessThan(column="i", threshold=1.2, double_sided=True),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="f", threshold=1, double_sided=True),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="f", threshold=0.5, double_sided=False),
        gxe.ExpectColumnValuesToNotBeOutliers(column="i", method="iqr", multiplier=0.5),
        gxe.ExpectColumnValuesToNotBeOutliers(column="f", method="iqr", multiplier=1.5),
        gxe.ExpectColumnValuesToNotBeOutliers(column="i", method="std", multiplier=1),
    ]
    bins = {"bins": [0, 1, 2, 5], "weights": [0.2, 0.3, 0.4], "tail_weights": [0.05, 0.05]}
    return gx.module().ExpectationSuite(
        "s",
        expectations=[
            *numbers,
            *far,
            *(
                gxe.ExpectColumnQuantileValuesToBeBetween(
                    column=name, quantile_ranges=thirds, allow_relative_error=between
                )
                for name, between in (("i", "linear"), ("f", False), ("f", "midpoint"), ("d", "lower"), ("i", "higher"))
            ),
            gxe.ExpectColumnMedianToBeBetween(column="i", max_value=1, row_condition=column("s") != "a"),
            gxe.ExpectColumnMedianToBeBetween(column="d", max_value=1),
            gxe.ExpectColumnMinToBeBetween(column="f", max_value=1),
            gxe.ExpectColumnMaxToBeBetween(column="d", max_value=1),
            gxe.ExpectColumnMedianToBeBetween(column="f", max_value=1),
            gxe.ExpectTableRowCountToBeBetween(max_value=3),
            gxe.ExpectTableRowCountToEqual(value=3, row_condition=column("i") > 1),
            gxe.ExpectTableColumnCountToEqual(value=6),
            gxe.ExpectColumnValuesToNotBeNull(column="i"),
            gxe.ExpectColumnValuesToBeBetween(column="f", min_value=0, max_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="t", min_value="2020-01-02"),
            gxe.ExpectColumnValuesToBeBetween(column="i", max_value=1, row_condition=column("s") == "a"),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex=r"^\w$", mostly=0.5),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex="(?!a)"),
            gxe.ExpectColumnValuesToBeIncreasing(column="i"),
            gxe.ExpectColumnValuesToBeUnique(column="i"),
            gxe.ExpectColumnValuesToBeUnique(column="f"),
            gxe.ExpectColumnValuesToBeUnique(column="s"),
            gxe.ExpectColumnValuesToBeUnique(column="t", row_condition=column("i") > 0),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "f"], ignore_row_if="never"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "s"]),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="i", max_value=2),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="t", max_value=2),
            gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(column="f", max_value=0.5),
            gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(column="f", max_value=0.5),
            gxe.ExpectColumnMostCommonValueToBeInSet(column="s", value_set=["a"]),
            gxe.ExpectColumnDistinctValuesToBeInSet(column="s", value_set=["a", "b"]),
            gxe.ExpectColumnDistinctValuesToContainSet(column="s", value_set=["b", "a", "z"]),
            gxe.ExpectColumnDistinctValuesToEqualSet(column="i", value_set=[0, 1]),
            gxe.ExpectColumnKLDivergenceToBeLessThan(column="f", partition_object=bins, threshold=0.1),
            gxe.ExpectColumnKLDivergenceToBeLessThan(
                column="s", partition_object={"values": ["a", "b"], "weights": [0.5, 0.5]}, threshold=0.1
            ),
            gxe.ExpectColumnMinToBeBetween(column="t", min_value=dt.datetime(2020, 1, 2, tzinfo=dt.UTC)),
        ],
    )


ROWS = st.tuples(
    st.sampled_from([None, 0, 1, 2, 3, 4, 5, 6, 7]),
    st.sampled_from([None, 0.0, -0.0, 1.5, 2.0, -7.25, float("nan"), 1e9]),
    st.sampled_from([None, Decimal("1.00"), Decimal("2.50"), Decimal("-9999999999.99")]),
    st.sampled_from([None, "a", "b", "é", ""]),
    st.sampled_from([None, *(dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3))]),
    st.sampled_from([None, True, False]),
)
FILE = st.lists(ROWS, max_size=12)
#: What happens to the files between two validations: one comes, one goes, one becomes another.
CHANGE = st.one_of(
    st.tuples(st.just("append"), FILE),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("replace"), st.integers(0, 5), FILE),
)


def write(path, rows):
    pq.write_table(pa.table({n: [row[k] for row in rows] for k, n in enumerate(SCHEMA.names)}, SCHEMA), path)
    return path


def same(mine, theirs):
    """Two results, floats but for their last digits."""
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(same(mine[k], theirs[k]) for k in mine)
    if isinstance(mine, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, float) and isinstance(theirs, (int, float)):
        return mine == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True)
    return mine == theirs


def told(result):
    found = [r.to_json_dict() for r in result.results]
    for each in found:
        each["meta"] = {}
    return found


@pytest.fixture(scope="module")
def short_runs():
    """Runs and blocks that a few values fill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "RUN", 4)
        patch.setattr(runs, "BLOCK", 2)
        yield


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=st.lists(FILE, min_size=1, max_size=3), changes=st.lists(CHANGE, min_size=1, max_size=3))
def test_merging_gives_what_the_whole_gives(gxe, tmp_path_factory, short_runs, files, changes):
    folder = tmp_path_factory.mktemp("files")
    asked, paths = suite(gxe), [write(folder / f"{n}.parquet", rows) for n, rows in enumerate(files)]
    for number, change in enumerate([("validate",), *changes]):
        match change:
            case ("append", rows):
                paths.append(write(folder / f"new{number}.parquet", rows))
            case ("delete", place) if len(paths) > 1:
                del paths[place % len(paths)]
            case ("replace", place, rows):
                write(paths[place % len(paths)], rows)
        mine = validate(paths, asked, result_format="COMPLETE", states=folder / "states")
        theirs = validate(paths, asked, result_format="COMPLETE")
        for one, other in zip(told(mine), told(theirs), strict=True):
            assert same(one, other), (one, other)


def by(result):
    return {
        f"{r.expectation_config.type} {r.expectation_config.kwargs.get('column', '')}".strip(): r.meta["ecluse"][
            "executed_by"
        ]
        for r in result.results
    }


def test_the_result_says_what_was_merged_and_what_was_measured_again(gxe, tmp_path, suite_of):
    asked = suite_of(
        gxe.ExpectColumnMeanToBeBetween(column="i", max_value=9999),
        gxe.ExpectColumnMedianToBeBetween(column="i", max_value=9999),
        gxe.ExpectColumnValuesToBeUnique(column="i"),
        gxe.ExpectColumnValuesToBeUnique(column="s"),
        gxe.ExpectColumnValuesToBeIncreasing(column="i"),
        gxe.ExpectTableColumnCountToEqual(value=6),
    )
    rows = [(n, None, None, str(n % 7919), None, None) for n in range(2000)]
    paths = [write(tmp_path / "0.parquet", rows[:1600])]
    first = by(validate(paths, asked, states=tmp_path / "states"))
    assert first["expect_column_values_to_be_unique i"] == WHOLE
    for number, start in enumerate(range(1600, 2000, 100)):
        paths.append(write(tmp_path / f"{number + 1}.parquet", rows[start : start + 100]))
        result = validate(paths, asked, states=tmp_path / "states")
        assert result.success
        assert by(result) == {
            "expect_column_mean_to_be_between i": MERGED,
            "expect_column_median_to_be_between i": MERGED,
            "expect_column_values_to_be_unique i": MERGED,
            # Text that isn't in order: told by the hashes of what was there before.
            "expect_column_values_to_be_unique s": MERGED,
            "expect_column_values_to_be_increasing i": WHOLE,
            "expect_table_column_count_to_equal": WHOLE,
        }
    again = validate([*paths, write(tmp_path / "again.parquet", rows[5:6])], asked, states=tmp_path / "states")
    found = {r.expectation_config.kwargs["column"]: r.result["unexpected_count"] for r in again.results[2:4]}
    assert found == {"i": 2, "s": 2}
    twice = validate([*paths, paths[-1]], asked, states=tmp_path / "states")
    assert [r.result["unexpected_count"] for r in twice.results[2:4]] == [200, 200]


@pytest.mark.parametrize("damage", ["flip", "cut", "swap", "empty", "other"])
def test_damaged_states_are_measured_again(gxe, tmp_path, suite_of, damage):
    asked = suite_of(
        gxe.ExpectColumnMaxToBeBetween(column="i", max_value=9999),
        gxe.ExpectTableRowCountToEqual(value=250),
        gxe.ExpectColumnValuesToBeUnique(column="s"),
        gxe.ExpectColumnMedianToBeBetween(column="i", max_value=9999),
    )
    rows = [(n, None, None, str(n), None, None) for n in range(250)]
    paths = [write(tmp_path / f"{n}.parquet", rows[part]) for n, part in enumerate((slice(200), slice(200, 250)))]
    states = tmp_path / "states"
    validate(paths[:1], asked, states=states)
    before = told(validate(paths, asked, states=states))
    kept = sorted(states.iterdir())
    assert len(kept) >= 4
    if damage == "swap":
        contents = [path.read_bytes() for path in kept]
        for path, content in zip(kept, contents[1:] + contents[:1], strict=True):
            path.write_bytes(content)
    else:
        for path in kept:
            content = path.read_bytes()
            middle = len(content) // 2
            flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
            path.write_bytes({"flip": flipped, "cut": content[:-8], "empty": b"", "other": b"[]"}[damage])
    assert told(validate(paths, asked, states=states)) == before


def test_keys_whose_later_column_lies_apart_are_told_without_a_hash(gxe, tmp_path, suite_of):
    asked = suite_of(gxe.ExpectCompoundColumnsToBeUnique(column_list=["s", "i"]))
    # The first column has the same values in all files, out of order; the second tells the files apart.
    rows = [(n, None, None, "abc"[n % 3], None, None) for n in range(1000)]
    paths = [
        write(tmp_path / f"{k}.parquet", rows[a:b]) for k, (a, b) in enumerate([(0, 800), (800, 900), (900, 1000)])
    ]
    validate(paths[:1], asked, states=tmp_path / "states")
    for path in (tmp_path / "states").glob("*.keys"):
        path.unlink()
    for count in (2, 3):
        (told,) = validate(paths[:count], asked, states=tmp_path / "states").results
        assert (told.success, told.meta["ecluse"]["executed_by"]) == (True, MERGED)
    assert not list((tmp_path / "states").glob("*.keys"))
    (told,) = validate([*paths, write(tmp_path / "3.parquet", rows[5:6])], asked, states=tmp_path / "states").results
    assert told.result["unexpected_count"] == 2
