"""What is measured the cheaper way is the same: proofs by statistics, questions by value, keys that rise."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine, literal
from ecluse.quality import gx, ranks, shortcuts, validate
from ecluse.quality.batch import Batch
from ecluse.quality.plan import Plan

SCHEMA = pa.schema({"i": "int64", "f": "float64", "s": "string"})


def batch(engine, path):
    return Batch(engine, f"(SELECT * FROM read_parquet({literal(str(path))}, can_have_nan = true))")


def suite(gxe):
    column = gx.module("great_expectations.expectations.row_conditions").Column
    return gx.module().ExpectationSuite(
        "s",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(column="i"),
            gxe.ExpectColumnValuesToNotBeNull(column="f"),
            gxe.ExpectColumnValuesToBeBetween(column="i", min_value=0, max_value=3),
            gxe.ExpectColumnValuesToBeBetween(column="f", min_value=0, max_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="f", max_value=1, row_condition=column("s") == "a"),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a", "b"]),
            gxe.ExpectColumnValuesToNotBeNull(column="s"),
            gxe.ExpectColumnValuesToBeNull(column="s"),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex=r"^\w$"),
            gxe.ExpectColumnValuesToMatchRegex(column="s", regex="(?!a)"),
            gxe.ExpectColumnValueLengthsToEqual(column="s", value=1, row_condition=column("i") > 1),
            gxe.ExpectColumnValuesToBeUnique(column="i"),
            gxe.ExpectColumnValuesToBeUnique(column="f"),
            gxe.ExpectColumnValuesToBeUnique(column="s"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "f"], ignore_row_if="never"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "s"]),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="i", max_value=2),
            gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(column="f", max_value=0.5),
        ],
    )


# Shrinking is left out: an example takes long, and small tables read well as they come.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([None, 0, 1, 2, 3, 4]),
            st.sampled_from([None, 0.0, 1.0, 2.0, float("nan"), float("inf")]),
            st.sampled_from([None, "a", "b", "é", "", "a\n"]),
        ),
        max_size=8,
    ),
    in_order=st.booleans(),
    group=st.integers(1, 8),
)
def test_results_are_the_same(gxe, tmp_path, monkeypatch, rows, in_order, group):
    if in_order:
        rows = sorted(set(rows), key=lambda row: (row[0] is None, row[0] or 0, repr(row)))
    table = pa.table({n: [row[k] for row in rows] for k, n in enumerate(SCHEMA.names)}, SCHEMA)
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=group)
    monkeypatch.setattr(shortcuts, "LARGE", 10**9)
    plain = validate(tmp_path / "t.parquet", suite(gxe), result_format="COMPLETE")
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    quick = validate(tmp_path / "t.parquet", suite(gxe), result_format="COMPLETE")
    assert {r.meta["ecluse"]["executed_by"] for r in quick.results} == {"ecluse"}
    for mine, theirs in zip(quick.results, plain.results, strict=True):
        assert str(mine.to_json_dict()) == str(theirs.to_json_dict())


def test_statistics_prove_what_holds_and_nothing_else(tmp_path):
    table = pa.table({"i": range(1000), "n": [None, *range(999)], "f": [float("nan"), *(0.5,) * 999]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    with Engine() as engine:
        found = batch(engine, tmp_path / "t.parquet")
        assert shortcuts.proven_empty(found, "i < 0 OR i > 999")
        assert shortcuts.proven_empty(found, "i IS NULL")
        assert not shortcuts.proven_empty(found, "i < 0 OR i > 998")
        assert not shortcuts.proven_empty(found, "n IS NULL")
        # NaN is above every number, and statistics don't tell of it.
        assert not shortcuts.proven_empty(found, "f > 1")
        assert not shortcuts.proven_empty(found, "isnan(f)")


@pytest.mark.parametrize("writer", ["pyarrow", "duckdb"])
@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ([0.0, 1.0], "false"),
        ([0.0, None], '("f" IS NULL)'),
        ([0.0, float("nan")], '(isnan("f"))'),
        ([None, float("nan")], '("f" IS NULL OR isnan("f"))'),
        ([float("nan")], '(isnan("f"))'),
        ([float("inf")], '(isnan("f"))'),
    ],
)
def test_what_a_column_can_lack_is_proven_by_statistics_that_know_it(tmp_path, monkeypatch, writer, values, missing):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    table, path = pa.table({"f": pa.array(values, pa.float64())}), tmp_path / "t.parquet"
    with Engine() as engine:
        if writer == "pyarrow":
            pq.write_table(table, path)
        else:
            with engine.registered(table) as view:
                engine.run(f"COPY {view} TO {literal(str(path))}")
        found = batch(engine, path).missing("f")
        # What another writer says of floats leaves NaN out: nothing is proven by it.
        assert found == missing or (writer == "pyarrow" and found == missing_with_nan(missing))
        asked = f"SELECT count(*) FROM {batch(engine, path).relation} WHERE {found}"
        assert engine.scalar(asked) == sum(v is None or math.isnan(v) for v in values)


def missing_with_nan(missing):
    return {"false": '(isnan("f"))', '("f" IS NULL)': '("f" IS NULL OR isnan("f"))'}.get(missing, missing)


def test_nan_that_statistics_leave_out_is_found(gxe, suite_of, tmp_path):
    """PyArrow writes 0.0 as the least and the greatest value of this file."""
    pq.write_table(pa.table({"f": [float("nan"), 0.0]}), tmp_path / "t.parquet")
    result = validate(tmp_path / "t.parquet", suite_of(gxe.ExpectColumnValuesToNotBeNull(column="f"))).results[0]
    assert (result.success, result.result["unexpected_count"]) == (False, 1)
    assert result.result["partial_unexpected_index_list"] == [0]


@pytest.mark.parametrize(
    ("keys", "holds"),
    [
        ([(1, 1), (1, 2), (2, 0)], True),
        ([(1, 1), (1, 1)], False),
        ([(1, 2), (1, 1)], False),
        ([(1, 1), (None, 1), (2, 1)], False),
        ([(2, 1)], True),
        ([], True),
    ],
)
def test_keys_that_rise_are_unique(tmp_path, monkeypatch, keys, holds):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    schema = pa.schema({"a": "int64", "b": "int64"})
    pq.write_table(pa.table({"a": [k[0] for k in keys], "b": [k[1] for k in keys]}, schema), tmp_path / "t.parquet")
    with Engine() as engine:
        assert shortcuts.rising(batch(engine, tmp_path / "t.parquet"), ("a", "b"), "true") is holds


def test_order_is_that_of_the_file_over_many_row_groups(gxe, suite_of, tmp_path, monkeypatch):
    """Positions and the row before come from a streaming window, which reads row groups one after the other."""
    size = 400_000
    values = list(range(size))
    values[300_000], values[300_001] = values[300_001], values[300_000]
    pq.write_table(pa.table({"n": values}), tmp_path / "t.parquet", row_group_size=10_000)
    asked = suite_of(gxe.ExpectColumnValuesToBeIncreasing(column="n"), gxe.ExpectColumnValuesToBeNull(column="n"))
    rising, null = validate(tmp_path / "t.parquet", asked).results
    assert rising.result["partial_unexpected_index_list"] == [300_001]
    assert null.result["partial_unexpected_index_list"] == list(range(20))
    monkeypatch.setattr(shortcuts, "LARGE", size)
    with Engine() as engine:
        found = batch(engine, tmp_path / "t.parquet")
        assert shortcuts.may_rise(found, ("n",), "true")
        assert not shortcuts.rising(found, ("n",), "true")


def test_many_different_values_are_not_asked_one_by_one(tmp_path):
    pq.write_table(
        pa.table({"few": ["a", "b"] * 5000, "many": [str(i) for i in range(10_000)]}), tmp_path / "t.parquet"
    )
    with Engine() as engine:
        found = batch(engine, tmp_path / "t.parquet")
        table = shortcuts.frequencies(found, "few")
        assert sorted(engine.rows(f"SELECT * FROM {table}")) == [("a", 5000), ("b", 5000)]
        assert shortcuts.frequencies(found, "many") is None


@pytest.mark.parametrize("order", ["rising", "mixed"])
def test_ranks_among_many_values_are_found_near_where_a_sample_points(tmp_path, monkeypatch, order):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    monkeypatch.setattr(ranks, "ROOM", 0)
    # The sample of a small table is off by more than that of a large one.
    monkeypatch.setattr(ranks, "_MARGIN", 0.1)
    size = 200_000
    value = "i / 7" if order == "rising" else "hash(i) % 5000 / 7"
    with Engine() as engine:
        engine.run(f"COPY (SELECT {value} AS v FROM range({size}) AS r(i)) TO {literal(str(tmp_path / 't.parquet'))}")
        found = batch(engine, tmp_path / "t.parquet")
        wanted = [0, 1, 50_000, 99_999, 100_000, 199_999]
        values = engine.rows(f"SELECT v FROM {found.relation} ORDER BY v")
        asked = ranks.at_ranks(found, found.relation, wanted, size)
        assert asked == {rank: values[rank][0] for rank in wanted}
        # Only what lies near is put in order.
        assert any("FILTER (WHERE v >=" in sql for sql in found._found)


def test_ranks_that_the_sample_misses_are_found_among_all_values(tmp_path, monkeypatch):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    monkeypatch.setattr(ranks, "ROOM", 0)
    monkeypatch.setattr(ranks, "_MARGIN", 0.0)
    pq.write_table(pa.table({"v": list(range(5000))}), tmp_path / "t.parquet")
    with Engine() as engine:
        found = batch(engine, tmp_path / "t.parquet")
        assert ranks.at_ranks(found, found.relation, [2499, 2500], 5000) == {2499: 2499, 2500: 2500}


def test_a_key_is_unique_where_a_part_of_it_rises(gxe, suite_of, tmp_path, monkeypatch):
    monkeypatch.setattr(shortcuts, "LARGE", 0)
    pq.write_table(pa.table({"a": [2, 1, 2], "b": [1, 2, 3]}), tmp_path / "t.parquet")
    with Engine() as engine:
        found = batch(engine, tmp_path / "t.parquet")
        assert Plan(found).groups(('"a"', '"b"'), "true")() == (3, 0)
        assert not any("GROUP BY" in sql for sql in found._found)
