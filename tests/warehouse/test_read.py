"""Reading is exact or refused: odd places, odd names, damaged and missing files."""

from __future__ import annotations

import json

import pytest

from ecluse.errors import IntegrityError, WarehouseError
from ecluse.warehouse.io import local_path

ROWS = "SELECT i::BIGINT AS id, 'n' || i AS name FROM range({}) r(i)"


@pytest.mark.parametrize("folder", ["a b", "it's", "100%", "x#y?z", "[ab]*", "é", "k=v"])
def test_the_project_may_lie_anywhere(make_house, folder):
    house = make_house(folder)
    house.published(ROWS.format(1), partition="2013-01")
    house.published(ROWS.format(2), partition="2013:02|x")
    assert house.rows() == [(0, "n0"), (0, "n0"), (1, "n1")]
    assert {f.partition for f in house.warehouse.files("clean.t", house.warehouse.head("clean.t"))} == {
        "2013-01",
        "2013:02|x",
    }
    assert house.warehouse._open("clean.t").scan().to_arrow().num_rows == 3


@pytest.mark.parametrize(
    "column", ["a b", 'q"q', "it's", "select", "é", "A", "partition", "filename", "file_row_number"]
)
def test_columns_may_have_any_name(house, column):
    house.published(f'SELECT 1 AS "{column.replace(chr(34), chr(34) * 2)}"', columns={column: "INTEGER"})
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    assert house.engine.describe(f"SELECT * FROM {scan}") == {column: "INTEGER"}
    assert house.rows() == [(1,)]


def test_other_iceberg_readers_see_the_same_rows(house):
    house.published(ROWS.format(5), partition="a")
    house.published(ROWS.format(3), partition="a")
    theirs = house.warehouse._open("clean.t").scan().to_arrow().sort_by("id")
    assert [tuple(row.values()) for row in theirs.to_pylist()] == house.rows()


def test_a_large_result_is_split_into_files_that_are_read_in_order(house, monkeypatch):
    copy = house.engine.copy
    monkeypatch.setattr(house.engine, "copy", lambda *a, **k: copy(*a, **{**k, "file_bytes": 100_000}))
    house.published("SELECT i::BIGINT AS id, md5(i::VARCHAR) AS name FROM range(300000) r(i)")
    files = house.warehouse.files("clean.t", house.warehouse.head("clean.t"))
    assert len(files) > 1
    assert sum(f.rows for f in files) == 300_000
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    assert house.engine.arrow(f"SELECT id FROM {scan}")["id"].to_pylist() == list(range(300_000))


def test_rows_keep_the_order_of_the_query(house):
    house.engine.run("SET threads = 4")
    source = house.root / "source.parquet"
    house.engine.run(
        f"COPY (SELECT i::BIGINT AS id, md5(i::VARCHAR) AS name FROM range(1000000) r(i)) TO '{source}' (FORMAT parquet)"
    )
    house.published(f"SELECT * FROM read_parquet('{source}')")
    scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
    misplaced = f"SELECT count(*) FROM (SELECT id, row_number() OVER () - 1 AS n FROM {scan}) WHERE id <> n"
    assert house.engine.scalar(misplaced) == 0


def test_a_missing_data_file_is_named(house):
    snapshot = house.published(ROWS.format(3))
    (file,) = house.warehouse.files("clean.t", snapshot)
    house.warehouse.path(file).unlink()
    with pytest.raises(IntegrityError) as caught:
        house.warehouse.scan("clean.t", snapshot)
    assert caught.value.key == "warehouse.missing_file"
    assert file.path in str(caught.value)


def test_a_truncated_data_file_is_named(house):
    snapshot = house.published(ROWS.format(3))
    (file,) = house.warehouse.files("clean.t", snapshot)
    path = house.warehouse.path(file)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(IntegrityError) as caught:
        house.warehouse.scan("clean.t", snapshot)
    assert caught.value.key == "warehouse.altered_file"


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * len(b)], ids=["half", "empty", "other"]
)
@pytest.mark.parametrize("kind", ["metadata.json", "snap", "manifest"])
def test_damaged_metadata_is_an_integrity_error(house, kind, damage):
    snapshot = house.published(ROWS.format(3))
    table = house.warehouse._open("clean.t")
    current = table.current_snapshot()
    location = {
        "metadata.json": table.metadata_location,
        "snap": current.manifest_list,
        "manifest": current.manifests(table.io)[0].manifest_path,
    }[kind]
    path = local_path(location)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(IntegrityError):
        house.warehouse.scan("clean.t", snapshot)


def test_metadata_that_is_json_but_no_table_is_an_integrity_error(house):
    house.published(ROWS.format(3))
    path = local_path(house.warehouse._open("clean.t").metadata_location)
    path.write_text(json.dumps({"format-version": 2}))
    with pytest.raises(IntegrityError):
        house.warehouse.head("clean.t")


def test_an_unknown_snapshot_is_refused(house):
    house.published(ROWS.format(1))
    for ask in (house.warehouse.scan, house.warehouse.files, house.warehouse.columns):
        with pytest.raises(WarehouseError) as caught:
            ask("clean.t", 42)
        assert caught.value.key == "warehouse.no_snapshot"


def test_a_file_without_a_recorded_hash_is_hashed(house):
    from sqlalchemy import delete

    from ecluse.store.schema import data_files

    snapshot = house.published(ROWS.format(3))
    recorded = house.warehouse.files("clean.t", snapshot)
    with house.database.transaction() as connection:
        connection.execute(delete(data_files))
    assert house.warehouse.files("clean.t", snapshot) == recorded
