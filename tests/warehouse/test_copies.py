"""Copies of data files, away from their table: read under the columns of a snapshot, or refused."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.errors import WarehouseError
from ecluse.warehouse.io import location_of
from tests.warehouse.test_foreign import ROWS, data_file, delete, folder, puffin, vector


def copied(house, where, dataset="clean.t"):
    """Every file of what is published, copied elsewhere, by path."""
    files = house.warehouse.files(dataset, house.warehouse.head(dataset))
    local = house.warehouse.fetch(dataset, files)
    assert set(local) == {file.path for file in files}
    where.mkdir(exist_ok=True)
    return {path: shutil.copy(found, where / f"{n}.bin") for n, (path, found) in enumerate(local.items())}


def rows(house, copies, dataset="clean.t"):
    scans = house.warehouse.scan_copies(dataset, house.warehouse.head(dataset), copies, "_n")
    return {path: house.engine.rows(f"SELECT * FROM {sql} ORDER BY _n") for path, sql in scans.items()}


def test_each_copy_gives_its_own_rows_in_their_order(house, tmp_path):
    house.published(ROWS.format(3), partition="a")
    house.published(ROWS.format(1), partition="b")
    found = rows(house, copied(house, tmp_path / "copies"))
    assert sorted(found.values()) == [[(0, "n0", 0)], [(0, "n0", 0), (1, "n1", 1), (2, "n2", 2)]]


def test_a_copy_is_read_under_the_columns_of_the_snapshot(house, tmp_path):
    house.published("SELECT 1::INTEGER AS id, 'a' AS name", partition="a", columns={"id": "INTEGER", "name": "VARCHAR"})
    house.published(
        "SELECT 'b' AS title, 2::BIGINT AS id, 0.5::DOUBLE AS weight",
        partition="b",
        columns={"title": "VARCHAR", "id": "BIGINT", "weight": "DOUBLE"},
        renamed={"title": ("name",)},
    )
    found = rows(house, copied(house, tmp_path / "copies"))
    names = list(house.warehouse.columns("clean.t", house.warehouse.head("clean.t")))
    shown = [dict(zip(names, row, strict=False)) for copies in found.values() for row in copies]
    assert sorted(shown, key=lambda row: row["id"]) == [
        {"id": 1, "title": "a", "weight": None},
        {"id": 2, "title": "b", "weight": 0.5},
    ]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.none() | st.text(max_size=5)), min_size=1, max_size=30))
def test_copies_hold_what_the_snapshot_holds(house, tmp_path, values):
    house.engine.connection.register("given", pa.table({"id": [i for i, _ in values], "name": [n for _, n in values]}))
    house.published("SELECT id::BIGINT AS id, name::VARCHAR AS name FROM given")
    found = rows(house, copied(house, tmp_path / "copies"))
    assert [row[:2] for copy in found.values() for row in copy] == values


def test_a_file_of_which_another_engine_deleted_rows_is_refused(house, tmp_path):
    house.published(ROWS.format(3))
    file = data_file(house)
    delete(house, puffin(folder(house) / "dv.puffin", {file: vector([1])}))
    with pytest.raises(WarehouseError) as caught:
        rows(house, copied(house, tmp_path / "copies"))
    assert caught.value.key == "warehouse.not_by_itself"


def test_a_file_without_field_ids_is_refused(house, tmp_path):
    house.published(ROWS.format(1))
    path = folder(house) / "theirs.parquet"
    pq.write_table(pa.table({"name": ["x"], "id": pa.array([7], pa.int64())}), path)
    house.warehouse._open("clean.t").add_files([location_of(path)], check_duplicate_files=False)
    with pytest.raises(WarehouseError) as caught:
        rows(house, copied(house, tmp_path / "copies"))
    assert caught.value.key == "warehouse.not_by_itself"
