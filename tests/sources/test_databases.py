"""A query's rows are kept as bytes and read like a file; SQLite's loose types are rejected row by row."""

import sqlite3

import pytest

from ecluse.errors import SourceError
from ecluse.model.contract import Column, Contract
from ecluse.model.step import DatabaseQuery
from ecluse.sources import collect

CONTRACT = Contract(
    columns=(
        Column("id", "BIGINT"),
        Column("name", "VARCHAR"),
        Column("price", "DECIMAL(10,2)"),
        Column("day", "DATE"),
        Column("open", "BOOLEAN"),
        Column("bytes", "BLOB"),
    ),
    owner="tests",
    licence="CC0-1.0",
)
ROWS = [(1, 'a "quoted"\nname', "1.50", "2013-01-01", 1, b"\x00\xffA"), (2, None, 2, None, 0, None)]


@pytest.fixture
def url(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE goods (id, name, price, day, open, bytes)")
        connection.executemany("INSERT INTO goods VALUES (?, ?, ?, ?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def refused(key, *arguments):
    with pytest.raises(SourceError) as raised:
        collect(*arguments)
    assert raised.value.key == f"sources.{key}"
    assert len(str(raised.value).splitlines()) == 3
    return raised.value


def test_rows_are_kept_and_typed(engine, url, tmp_path):
    found = collect(
        engine, DatabaseQuery(url, "SELECT * FROM goods ORDER BY id", origin="shop"), CONTRACT, tmp_path / "raw"
    )
    origin = found.inputs[0].sha256[:12]
    rows = engine.rows(found.sql)
    assert [(r[0], r[1], str(r[2]), str(r[3]), r[4], r[5], r[6]) for r in rows] == [
        (1, 'a "quoted"\nname', "1.50", "2013-01-01", True, b"\x00\xffA", f"{origin}:1"),
        (2, None, "2.00", "None", False, None, f"{origin}:2"),
    ]
    assert found.inputs[0].origin == "shop"
    assert found.inputs[0].kept.read_text().count("\n") == 2
    found.confirm_unchanged()


def test_the_same_rows_are_the_same_bytes(engine, url, tmp_path):
    query = DatabaseQuery(url, "SELECT * FROM goods ORDER BY id")
    first, second = (collect(engine, query, CONTRACT, tmp_path / "raw").inputs[0] for _ in range(2))
    assert first == second


def test_values_of_another_type_are_rejected(engine, url, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute(
            "INSERT INTO goods (id, name, price) VALUES ('abc', 'x', 1), (4, 5, 1), (5, 'x', 1.005), (6, 'last', 0.1)"
        )
    connection.close()
    found = collect(engine, DatabaseQuery(url, "SELECT * FROM goods ORDER BY rowid"), CONTRACT, tmp_path / "raw")
    assert (found.rows, found.rejected) == (3, 3)
    assert [r[2] for r in engine.rows(found.rejects_sql)] == [
        "line 3: id is not a BIGINT",
        "line 4: name is not a VARCHAR",
        "line 5: price is not a DECIMAL(10,2)",
    ]
    assert str(engine.rows(found.sql)[-1][2]) == "0.10"


def test_the_url_may_stand_in_the_environment(engine, url, tmp_path, monkeypatch):
    refused("secret", engine, DatabaseQuery("env:SHOP_URL", "SELECT * FROM goods"), CONTRACT, tmp_path / "raw")
    monkeypatch.setenv("SHOP_URL", url)
    assert collect(engine, DatabaseQuery("env:SHOP_URL", "SELECT * FROM goods"), CONTRACT, tmp_path / "raw").rows == 2


def test_what_a_query_changes_is_rolled_back(engine, url, tmp_path):
    query = "INSERT INTO goods SELECT 9, 'new', 1, NULL, 1, NULL RETURNING *"
    assert collect(engine, DatabaseQuery(url, query), CONTRACT, tmp_path / "raw").rows == 1
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        assert connection.execute("SELECT count(*) FROM goods").fetchone() == (2,)
    connection.close()
    refused("no_select", engine, DatabaseQuery(url, "DELETE FROM goods"), CONTRACT, tmp_path / "raw")


def test_databases_that_do_not_answer(engine, url, tmp_path):
    raw = tmp_path / "raw"
    refused("missing_file", engine, DatabaseQuery(f"sqlite:///{tmp_path / 'none.db'}", "SELECT 1"), CONTRACT, raw)
    assert not (tmp_path / "none.db").exists()
    refused("database", engine, DatabaseQuery(url, "SELECT * FROM nothing"), CONTRACT, raw)
    refused("url", engine, DatabaseQuery("not a url:secret", "SELECT 1"), CONTRACT, raw)
    assert "secret" not in str(
        refused("database", engine, DatabaseQuery("nosuchdatabase://user:secret@host/db", "SELECT 1"), CONTRACT, raw)
    )
    assert "missing" in str(refused("header", engine, DatabaseQuery(url, "SELECT id FROM goods"), CONTRACT, raw))
    assert "repeated 'id'" in str(
        refused("header", engine, DatabaseQuery(url, "SELECT *, id FROM goods"), CONTRACT, raw)
    )
    refused("empty", engine, DatabaseQuery(url, "SELECT * FROM goods WHERE id = 0"), CONTRACT, raw)
    assert not [p for p in raw.iterdir() if p.name.startswith(".")]


def test_many_rows_stream_in_order(engine, tmp_path):
    (tmp_path / "numbers.db").touch()
    query = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59999) SELECT i FROM n"
    contract = Contract(columns=(Column("i", "BIGINT"),), owner="tests", licence="CC0-1.0")
    found = collect(engine, DatabaseQuery(f"sqlite:///{tmp_path / 'numbers.db'}", query), contract, tmp_path / "raw")
    assert [r[0] for r in engine.rows(found.sql)] == list(range(60_000))
