"""Origins are carried through SQL that preserves rows, and through no other."""

from __future__ import annotations

import duckdb
import pytest

from ecluse.step.origin import with_origin

PRESERVING = {
    "a plain select": ("SELECT a FROM raw WHERE a > 1", 2),
    "a star": ("SELECT * FROM raw", 3),
    "a trailing comma": ("SELECT a, FROM raw", 3),
    "an alias": ("SELECT r.a FROM raw AS r", 3),
    "an alias without AS": ("SELECT r.a FROM raw r", 3),
    "a quoted name": ('SELECT a FROM "raw"', 3),
    "a join": ("SELECT a, n FROM raw LEFT JOIN other USING (a)", 3),
    "the driving input joined second": ("SELECT raw.a FROM other JOIN raw ON other.a = raw.a", 2),
    "a comparison with FROM in it": ("SELECT a IS DISTINCT FROM 2 AS differs FROM raw", 3),
    "a function with FROM in it": ("SELECT extract(year FROM DATE '2013-01-01' + a::INT) AS y FROM raw", 3),
    "a window and QUALIFY": ("SELECT a FROM raw QUALIFY row_number() OVER (PARTITION BY b ORDER BY a) = 1", 2),
    "a chain of CTEs": ("WITH x AS (SELECT a, b FROM raw), y AS (SELECT * FROM x WHERE a > 1) SELECT a FROM y", 2),
    "a CTE beside the way": ("WITH t AS (SELECT count(*) AS n FROM other) SELECT a, t.n FROM raw, t", 3),
    "a subquery in the list": ("SELECT a, (SELECT max(n) FROM other) AS m FROM raw", 3),
    "a scalar subquery in WHERE": ("SELECT a FROM raw WHERE a IN (SELECT a FROM other)", 2),
    "ORDER BY and LIMIT": ("SELECT a FROM raw ORDER BY a LIMIT 2", 2),
    "comments": ("SELECT a -- the key, FROM nowhere\n/* FROM */ FROM raw;", 3),
    "a text with FROM in it": ("SELECT a, 'x FROM y' AS t FROM raw", 3),
}

MIXING = {
    "a group": "SELECT b, count(*) FROM raw GROUP BY b",
    "a distinct": "SELECT DISTINCT b FROM raw",
    "a union": "SELECT a FROM raw UNION ALL SELECT a FROM raw",
    "a group within": "WITH x AS (SELECT b, max(a) AS a FROM raw GROUP BY b) SELECT a FROM x",
    "another table": "SELECT a FROM other",
    "a recursive CTE": "WITH RECURSIVE x AS (SELECT a FROM raw) SELECT a FROM x",
    "no SQL": "hello",
    "nothing": "",
    "an open text": "SELECT 'a FROM raw",
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE raw AS SELECT * FROM (VALUES (1, 'x', 'f:1'), (2, 'x', 'f:2'), (3, 'y', 'f:3')) t(a, b, _origin)"
        )
        connection.execute("CREATE TABLE other AS SELECT * FROM (VALUES (1, 10), (2, 20)) t(a, n)")
        yield connection


@pytest.mark.parametrize(("sql", "rows"), PRESERVING.values(), ids=PRESERVING)
def test_origin_is_carried_through(connection, sql, rows):
    carried = with_origin(sql, "raw")
    assert carried is not None
    found = connection.sql(f"SELECT _origin FROM ({carried.rstrip(';')})").fetchall()
    assert len(found) == rows
    assert len(set(found)) == rows
    assert all(origin.startswith("f:") for (origin,) in found)


@pytest.mark.parametrize(("sql", "rows"), PRESERVING.values(), ids=PRESERVING)
def test_the_other_columns_stay_as_they_were(connection, sql, rows):
    carried = with_origin(sql, "raw")
    before = connection.sql(sql.rstrip(";"))
    after = connection.sql(f"SELECT * FROM ({carried.rstrip(';')})")
    assert [c for c in after.columns if c != "_origin"] == [c for c in before.columns if c != "_origin"]


@pytest.mark.parametrize("sql", MIXING.values(), ids=MIXING)
def test_nothing_is_inserted_where_rows_are_mixed(sql):
    assert with_origin(sql, "raw") is None
