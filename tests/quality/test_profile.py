"""``profile``: what it says is what is there, and what is only about so says that."""

import datetime as dt
import importlib
import json
import math
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from ecluse.quality.profiling import Profile, Relation, as_data, counts_of, profile, sample
from tests.quality.tables import tables

MORNING = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - a column without a zone


def one(**columns):
    return profile(pa.table(columns)).tables[0]


def remarks(table, name):
    return [r.key for r in table.column(name).remarks]


@settings(max_examples=12, deadline=None)
@given(tables())
def test_counts_and_extremes_are_those_of_the_data(table):
    found = profile(table).tables[0]
    assert found.rows == table.num_rows
    for column in found.columns:
        given_ = table.column(column.name).to_pylist()
        values = [v for v in given_ if v is not None and not (isinstance(v, float) and math.isnan(v))]
        assert (column.present, column.distinct, column.distinct_exact) == (len(values), len(set(values)), True)
        assert column.unique == (bool(values) and len(set(values)) == len(values))
        if column.kind == "text":
            assert column.longest == max(map(len, values), default=None)
        if not column.withheld and values and column.kind not in ("bool", "other"):
            assert (column.minimum, column.maximum) == (min(values), max(values))
            counts = {value: values.count(value) for value in values}
            assert all(counts[f.value] == f.count for f in column.frequent)
    json.dumps(as_data(Profile((found,))), allow_nan=False)


def test_an_empty_table_has_types_and_nothing_else():
    table = one(a=pa.array([], pa.int64()), b=pa.array([], pa.string()))
    assert (table.rows, table.keys, table.duplicates) == (0, (), 0)
    assert [c.present for c in table.columns] == [0, 0]
    assert [r.key for r in table.remarks] == ["no_rows"]


def test_no_value_of_a_column_that_looks_like_peoples_is_told():
    mails = [f"ada{i % 7}@mail.example" for i in range(40)]
    table = one(contact_point=mails, full_name=["Ada Exemple"] * 40, birth=[dt.date(1980, 1, 1)] * 40)
    assert all(column.withheld for column in table.columns)
    assert all("looks_personal" in remarks(table, column.name) for column in table.columns)
    said = json.dumps(as_data(profile(pa.table({"contact_point": mails, "full_name": ["Ada Exemple"] * 40}))))
    assert "ada3" not in said
    assert "Exemple" not in said
    assert table.column("contact_point").format.name == "email"
    assert table.column("contact_point").distinct == 7


def test_the_contract_says_what_a_column_is_whatever_it_looks_like():
    data = {"name": ["Boeing", "Airbus"] * 10, "score": [1, 2] * 10}
    (table,) = profile(pa.table(data), classifications={"name": "public", "score": "sensitive"}).tables
    assert [f.value for f in table.column("name").frequent] == ["Airbus", "Boeing"]
    assert table.column("score").minimum is None
    assert remarks(table, "score")[0] == "classified"


def test_what_enters_the_log_holds_values_of_public_columns_only():
    data = pa.table({"open": ["yes"] * 20, "inside": ["secret"] * 20})
    (table,) = profile(data, classifications={"open": "public", "inside": "internal"}).tables
    said = json.dumps(counts_of(table))
    assert "yes" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2024-01-02", "2024-02-03"], "iso_date"),
        (["2024-01-02T03:04:05Z"], "iso_time"),
        (["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"], "uuid"),
        (["ada@mail.example"], "email"),
        (["FR7630006000011234567890189"], "iban"),
        (["https://mail.example/a?b=c"], "url"),
        (["192.168.0.1"], "ipv4"),
        (["+33 1 23 45 67 89"], "phone"),
        (["12", "-3"], "integer"),
        (["12", "1.5"], "number"),
        (["word", "other"], None),
    ],
)
def test_formats_of_texts_are_recognised(values, form):
    column = one(v=values * 12).column("v")
    assert (column.format and column.format.name) == form


def test_shapes_say_how_texts_are_written():
    column = one(plate=["AB123", "CD456", "Éa9"] + ["XY789"] * 7).column("plate")
    assert [(s.text, s.share) for s in column.shapes] == [("AA999", 0.9), ("Aa9", 0.1)]


def test_keys_are_single_columns_or_compounds_that_are_unique_beyond_chance():
    shops, days = [i % 20 for i in range(600)], [i // 20 for i in range(600)]
    table = one(shop=shops, day=days, sold=[i * i % 7 for i in range(600)])
    assert table.keys == (("day", "shop"),)
    assert one(id=list(range(50)), v=[1] * 50).keys == (("id",),)
    # Any two of these are unique together, as unrelated values of that many kinds are anyway.
    assert one(a=[i // 2 for i in range(20)], b=[i % 10 for i in range(20)]).keys == ()


def test_rows_that_repeat_are_counted():
    table = one(a=[1, 1, 2, None, None], b=["x", "x", "x", None, None])
    assert (table.duplicates, table.duplicates_exact) == (2, True)
    assert [r.key for r in table.remarks] == ["no_key", "duplicates"]


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ([1, 2, 5], "strictly_increasing"),
        ([1, 2, 2], "increasing"),
        ([3, 2, 1], "strictly_decreasing"),
        ([1, 3, 2], None),
        ([1, None, 2], None),
        ([1, 1, 1], None),
    ],
)
def test_columns_that_rise_or_fall_are_told(values, way):
    assert one(v=values).column("v").order == way


def test_pairs_that_are_always_in_order_are_told():
    begun = [MORNING + dt.timedelta(hours=i % 17) for i in range(60)]
    ended = [None if i % 9 == 0 else b + dt.timedelta(minutes=i) for i, b in enumerate(begun)]
    table = one(begun=begun, ended=ended)
    assert [(p.low, p.high, p.rows) for p in table.pairs] == [("begun", "ended", 53)]


def test_references_to_the_key_of_another_table_are_candidates():
    people = pa.table({"id": range(1, 101), "code": [f"C{i:03}" for i in range(100)]})
    orders = pa.table(
        {
            "order": range(1000, 1300),
            "people_id": [1 + i % 40 for i in range(300)],
            "size": [1 + i % 5 for i in range(300)],
            "code": [f"C{i % 25:03}" if i % 25 else "gone" for i in range(300)],
        }
    )
    found = profile({"orders": orders, "people": people}).references
    assert [(r.column, r.to_table, r.to_column, r.found, r.distinct) for r in found] == [
        ("people_id", "people", "id", 40, 40),
        ("code", "people", "code", 24, 25),
    ]


def test_what_cannot_be_computed_is_neither_a_value_nor_an_error():
    table = one(v=pa.array([1e308, -1e308, 1.7e308, 1e308]), w=[1, 2, 3, 4])
    column = table.column("v")
    assert (column.mean, column.deviation, dict(column.uncomputed)) == (
        None,
        None,
        {"mean": "Overflow", "deviation": "Overflow"},
    )
    assert remarks(table, "v") == ["uncomputed"]
    assert column.maximum == 1.7e308
    assert table.column("w").deviation == pytest.approx(1.2909944)


def test_a_step_that_fails_is_named_and_the_others_go_on(monkeypatch):
    steps = importlib.import_module("ecluse.quality.profiling.profile")

    def duplicates(_table):
        raise ValueError("Out of Memory Error: failed to hold the value 'secret'")

    monkeypatch.setattr(steps, "STEPS", (*steps.STEPS[:-1], duplicates))
    (table,) = steps.profile(pa.table({"v": [1, 1, 2]})).tables
    assert (dict(table.uncomputed), table.duplicates) == ({"duplicates": "Out of Memory Error"}, None)
    assert table.column("v").distinct == 2
    assert "uncomputed" in [r.key for r in table.remarks]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ([None] * 30, "empty"),
        ([5] * 30, "constant"),
        ([1, None, None], "mostly_empty"),
        (["", "a"] * 15, "empty_texts"),
        (["NA", "a"] * 15, "absent_texts"),
        ([float("nan"), 1.0, 2.0], "nan"),
        ([float("inf"), 1.0, 2.0], "infinite"),
        (["1", "2"] * 15, "numbers_as_text"),
        (["2024-01-02"] * 30, "times_as_text"),
        ([*range(1, 60), 10**9], "far_ends"),
        ([dt.date(1900, 1, 1), dt.date(2024, 1, 1)], "placeholder"),
        ([1] * 99 + [2], "one_value"),
        (["red", "blue"] * 15, "category"),
    ],
)
def test_what_calls_for_a_look_is_said(values, key):
    assert key in remarks(one(v=values), "v")


def test_a_large_table_is_looked_at_first_and_answered_whole(tmp_path, monkeypatch):
    """What the first look can't refute is asked of all rows: a repeat or a fall outside of it is found."""
    monkeypatch.setattr(sample, "LOOKED_AT", 400)
    monkeypatch.setattr(sample, "FEW", 50)
    monkeypatch.setattr(sample, "LARGE", 1000)
    n = 9000
    rising, unique, repeated = list(range(n)), [(i * 7919) % n for i in range(n)], list(range(n))
    rising[5003], rising[5004] = rising[5004], rising[5003]
    repeated[8001] = repeated[8000]
    columns = {
        "rising": rising,
        "unique": [f"k{i}" for i in unique],
        "repeated": [f"r{i}" for i in repeated],
        "few": [i % 7 for i in range(n)],
        "many": [float((i * 31) % 4001) for i in range(n)],
        "heavy": [0 if i % 3 else i for i in range(n)],
        "low": [dt.date(2000, 1, 1) + dt.timedelta(days=i % 900) for i in range(n)],
        "high": [dt.date(2000, 1, 1) + dt.timedelta(days=i % 900 + (i != 4321)) for i in range(n)],
    }
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    whole = pa.table(columns)
    pq.write_table(whole.slice(0, 2500), paths[0])
    pq.write_table(whole.slice(2500), paths[1])
    for given_ in (paths, whole):
        (table,) = profile(given_).tables
        assert 300 < table.looked_at < 600
        assert table.keys == (("rising",), ("unique",))
        assert table.column("rising").order is None
        assert (table.column("repeated").distinct, table.column("repeated").unique) == (n - 1, False)
        assert (table.column("few").distinct, table.column("few").frequent[0].count) == (7, 1286)
        many = table.column("many")
        assert (many.distinct_exact, many.minimum, many.maximum) == (False, 0.0, 4000.0)
        assert many.distinct == pytest.approx(4001, rel=0.2)
        assert many.quantiles[2] == (0.5, sorted(columns["many"])[(n - 1) // 2])
        assert [(f.value, f.count) for f in table.column("heavy").frequent] == [(0, 6000 + 1)]
        assert [(p.low, p.high) for p in table.pairs] == [("low", "high")]
        assert table.duplicates == 0


def test_a_relation_hides_what_is_not_promised(tmp_path):
    pq.write_table(pa.table({"v": [1, 2], "_origin": ["a", "b"]}), tmp_path / "t.parquet")
    relation = Relation(f"(SELECT * FROM '{tmp_path / 't.parquet'}')", frozenset({"_origin"}), {"v": "public"})
    (table,) = profile({"t": relation}).tables
    assert [(c.name, c.classification) for c in table.columns] == [("v", "public")]


def test_nested_columns_are_counted():
    table = one(tags=[["a"], ["a"], None], point=[{"x": 1}, {"x": 2}, {"x": 3}], price=[Decimal("1.50")] * 3)
    assert [(c.present, c.distinct) for c in table.columns] == [(2, 1), (3, 3), (3, 1)]
    assert table.column("price").maximum == Decimal("1.50")
