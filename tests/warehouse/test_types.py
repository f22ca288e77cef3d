"""Types and values go to Iceberg and come back as they were."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.warehouse.types import UnknownType, duckdb_type, iceberg_type

PLAIN = st.sampled_from(
    [
        "BOOLEAN",
        "INTEGER",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "VARCHAR",
        "BLOB",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP WITH TIME ZONE",
        "UUID",
    ]
)
DECIMAL = st.tuples(st.integers(1, 38), st.integers(0, 38)).map(lambda p: f"DECIMAL({p[0]},{min(p)})")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def nested(inner):
    fields = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda t: f"{t}[]"),
        st.tuples(PLAIN, inner).map(lambda p: f"MAP({p[0]}, {p[1]})"),
        fields.map(lambda f: f"STRUCT({', '.join(f'{quoted(n)} {t}' for n, t in f.items())})"),
    )


@given(st.recursive(PLAIN | DECIMAL, nested, max_leaves=4))
def test_every_type_comes_back_as_it_was(text):
    assert duckdb_type(iceberg_type(text)) == text


@given(st.text(max_size=30))
def test_any_text_is_a_type_or_a_clear_refusal(text):
    with suppress(UnknownType):
        assert duckdb_type(iceberg_type(text))


@pytest.mark.parametrize(
    ("alias", "type"),
    [
        ("int", "INTEGER"),
        (" timestamptz ", "TIMESTAMP WITH TIME ZONE"),
        ("text", "VARCHAR"),
        ("Numeric(5, 1)", "DECIMAL(5,1)"),
        ("decimal", "DECIMAL(18,3)"),
        ("struct(a int)[]", 'STRUCT("a" INTEGER)[]'),
    ],
)
def test_other_spellings_mean_the_same_type(alias, type):
    assert duckdb_type(iceberg_type(alias)) == type


VALUES = {
    "BOOLEAN": "true",
    "INTEGER": "-2147483648",
    "BIGINT": "9223372036854775807",
    "FLOAT": "1.5",
    "DOUBLE": "'nan'",
    "VARCHAR": "'é''\"\n🙂'",
    "BLOB": "'\\x00\\xFF'",
    "DATE": "'0001-01-01'",
    "TIME": "'23:59:59.999999'",
    "TIMESTAMP": "'2013-02-09 01:02:03.000004'",
    "TIMESTAMP WITH TIME ZONE": "'2013-02-09 01:02:03.000004+05'",
    "UUID": "'00000000-0000-0000-0000-000000000001'",
    "DECIMAL(4,1)": "-999.9",
    "DECIMAL(9,2)": "1.25",
    "DECIMAL(18,3)": "1.125",
    "DECIMAL(38,10)": "1234567890.0123456789",
    "VARCHAR[]": "['a', NULL, '']",
    "INTEGER[][]": "[[1], [], NULL]",
    "MAP(VARCHAR, INTEGER)": "MAP {'a': 1, 'b': NULL}",
    'STRUCT("a" INTEGER, "b c" VARCHAR[])': "{'a': 1, 'b c': ['x']}",
    'STRUCT("n" VARCHAR)[]': "[{'n': 'x'}, NULL]",
}


def test_values_of_every_type_come_back_as_they_were(house):
    columns = {f"c{i}": kind for i, kind in enumerate(VALUES)}
    full = ", ".join(f"({value})::{kind} AS c{i}" for i, (kind, value) in enumerate(VALUES.items()))
    empty = ", ".join(f"NULL::{kind}" for kind in VALUES)
    sql = f"SELECT {full} UNION ALL SELECT {empty}"
    house.published(sql, columns=columns)
    scan = f"SELECT * FROM {house.warehouse.scan('clean.t', house.warehouse.head('clean.t'))}"
    assert house.warehouse.columns("clean.t", house.warehouse.head("clean.t")) == columns
    wanted, found = (house.engine.rows(f"SELECT columns(*)::VARCHAR FROM ({query})") for query in (sql, scan))
    assert found == wanted
    arrow = house.warehouse._open("clean.t").scan().to_arrow()
    assert (arrow.num_rows, arrow.column("c2").to_pylist()) == (2, [9223372036854775807, None])
