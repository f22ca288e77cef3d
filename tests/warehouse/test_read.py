"""Reading is exact or refused: other engines' deletes, odd places, damaged and missing files."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

from ecluse.errors import IntegrityError, WarehouseError
from ecluse.warehouse.io import local_path, location_of

ROWS = "SELECT i::BIGINT AS id, 'n' || i AS name FROM range({}) r(i)"


class DeleteWriter(ManifestWriterV2):
    """Writes what a merge-on-read engine would: PyIceberg itself can't."""

    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


class Deletes(_FastAppendFiles):
    def new_manifest_writer(self, spec):
        return DeleteWriter(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def delete_rows(house, positions, *, content=DataFileContent.POSITION_DELETES, file_format=FileFormat.PARQUET):
    """Commit a delete file on main: rows by data file and position."""
    table = house.warehouse._open("clean.t")
    path = local_path(table.location()) / "data" / f"deletes-{len(table.snapshots())}.parquet"
    paths = [location_of(house.warehouse.path(f)) for f, _ in positions]
    pq.write_table(pa.table({"file_path": paths, "pos": pa.array([p for _, p in positions], pa.int64())}), path)
    file = DataFile.from_args(
        content=content, file_path=location_of(path), file_format=file_format, partition=Record(), record_count=len(positions),
        file_size_in_bytes=path.stat().st_size, spec_id=0, column_sizes={}, value_counts={}, null_value_counts={}, nan_value_counts={},
        lower_bounds={}, upper_bounds={}, key_metadata=None, split_offsets=None, equality_ids=[1] if content == DataFileContent.EQUALITY_DELETES else None, sort_order_id=None,
    )  # fmt: skip

    def build(draft):
        view = draft._view(draft.metadata.current_schema_id)
        from pyiceberg.table.snapshots import Operation

        producer = Deletes(Operation.DELETE, view, table.io)
        producer.append_data_file(file)
        updates, _ = producer._commit()
        draft.add(*updates)

    house.warehouse._catalog.commit("clean.t", build)


def test_rows_deleted_by_position_stay_deleted(house):
    house.published(ROWS.format(3), partition="a")
    house.published(ROWS.format(4), partition="b")
    one, two = house.warehouse.files("clean.t", house.warehouse.head("clean.t"))
    delete_rows(house, [(one, 1), (two, 0), (two, 3)])
    wanted = [(0, "n0"), (1, "n1"), (2, "n2"), (2, "n2")]
    assert house.rows() == wanted
    theirs = house.warehouse._open("clean.t").scan().to_arrow().sort_by("id").to_pylist()
    assert [tuple(row.values()) for row in theirs] == wanted
    house.published(ROWS.format(3), partition="a")
    assert house.rows(partitions=["a"]) == [(0, "n0"), (1, "n1"), (2, "n2")]
    assert house.rows(partitions=["b"]) == [(1, "n1"), (2, "n2")]


@pytest.mark.parametrize(
    ("content", "file_format"),
    [(DataFileContent.EQUALITY_DELETES, FileFormat.PARQUET), (DataFileContent.POSITION_DELETES, FileFormat.PUFFIN)],
)
def test_deletes_of_other_kinds_are_refused(house, content, file_format):
    house.published(ROWS.format(3))
    (file,) = house.warehouse.files("clean.t", house.warehouse.head("clean.t"))
    delete_rows(house, [(file, 1)], content=content, file_format=file_format)
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.deletes"


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
