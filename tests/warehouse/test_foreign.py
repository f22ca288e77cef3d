"""What other engines write into a table is read as they mean it, or refused: deletes, layouts, types, versions."""

from __future__ import annotations

import json
import zlib

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record
from pyroaring import BitMap

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


def commit(house, path, file_format, content=DataFileContent.DATA, partition=None, rows=1, spec=0):
    """Commit a file that lies at ``path`` to main, as another engine would."""
    table = house.warehouse._open("clean.t")
    file = DataFile.from_args(
        content=content, file_path=location_of(path), file_format=file_format, partition=partition or Record(), record_count=rows,
        file_size_in_bytes=path.stat().st_size, column_sizes={}, value_counts={}, null_value_counts={}, nan_value_counts={}, lower_bounds={},
        upper_bounds={}, key_metadata=None, split_offsets=None, equality_ids=[1] if content == DataFileContent.EQUALITY_DELETES else None, sort_order_id=None,
    )  # fmt: skip
    file.spec_id = spec
    kind = _FastAppendFiles if content == DataFileContent.DATA else Deletes

    def build(draft):
        producer = kind(Operation.APPEND, draft._view(draft.metadata.current_schema_id), table.io)
        producer.append_data_file(file)
        updates, _ = producer._commit()
        draft.add(*updates)

    house.warehouse._catalog.commit("clean.t", build)


def folder(house):
    return local_path(house.warehouse._open("clean.t").location()) / "data"


def data_file(house, partition=None):
    found = house.warehouse.files("clean.t", house.warehouse.head("clean.t"))
    return next(house.warehouse.path(f) for f in found if f.partition == partition)


def vector(positions, checksum=None):
    """A deletion vector as Iceberg's version 3 frames it, with Roaring bitmaps of 2^32 positions each."""
    parts = sorted({p >> 32 for p in positions})
    body = b"\xd1\xd3\x39\x64" + len(parts).to_bytes(8, "little")
    for key in parts:
        body += key.to_bytes(4, "little") + BitMap(p & 0xFFFFFFFF for p in positions if p >> 32 == key).serialize()
    check = zlib.crc32(body) if checksum is None else checksum
    return len(body).to_bytes(4, "big") + body + check.to_bytes(4, "big")


def puffin(path, vectors, kind="deletion-vector-v1", **more):
    """A Puffin file of one deletion vector for each data file."""
    content, blobs = b"PFA1", []
    for file, positions in vectors.items():
        raw = vector(positions, **more)
        blobs.append({"type": kind, "fields": [], "snapshot-id": -1, "sequence-number": -1, "offset": len(content), "length": len(raw),
                      "properties": {"referenced-data-file": location_of(file), "cardinality": str(len(positions))}})  # fmt: skip
        content += raw
    footer = json.dumps({"blobs": blobs}).encode()
    path.write_bytes(content + b"PFA1" + footer + len(footer).to_bytes(4, "little") + b"\0\0\0\0" + b"PFA1")
    return path


def delete(house, path, file_format=FileFormat.PUFFIN):
    commit(house, path, file_format, DataFileContent.POSITION_DELETES)


def theirs(house):
    """The rows as PyIceberg reads them."""
    found = house.warehouse._open("clean.t").scan().to_arrow().to_pylist()
    return sorted((tuple(row.values()) for row in found), key=repr)


def ours(house):
    return sorted(house.rows(), key=repr)


def as_version_3(house, change=lambda metadata: None):
    """Upgrade the table as another engine would: PyIceberg can read that version, and not write it."""
    path = local_path(house.warehouse._open("clean.t").metadata_location)
    metadata = json.loads(path.read_text())
    metadata |= {"format-version": 3, "next-row-id": 0}
    change(metadata)
    path.write_text(json.dumps(metadata))


def positions(house, *deleted):
    """A Parquet file of position deletes: rows by data file and position."""
    path = folder(house) / f"deletes-{len(house.warehouse._open('clean.t').snapshots())}.parquet"
    files, places = ([location_of(file) for file, _ in deleted], [place for _, place in deleted])
    pq.write_table(pa.table({"file_path": files, "pos": pa.array(places, pa.int64())}), path)
    return path


def test_rows_deleted_by_position_stay_deleted(house):
    house.published(ROWS.format(3), partition="a")
    house.published(ROWS.format(4), partition="b")
    one, two = data_file(house, "a"), data_file(house, "b")
    delete(house, positions(house, (one, 1), (two, 0), (two, 3)), FileFormat.PARQUET)
    assert ours(house) == theirs(house) == [(0, "n0"), (1, "n1"), (2, "n2"), (2, "n2")]
    house.published(ROWS.format(3), partition="a")
    assert house.rows(partitions=["a"]) == [(0, "n0"), (1, "n1"), (2, "n2")]
    assert house.rows(partitions=["b"]) == [(1, "n1"), (2, "n2")]


@pytest.mark.parametrize(
    ("content", "file_format"),
    [(DataFileContent.EQUALITY_DELETES, FileFormat.PARQUET), (DataFileContent.POSITION_DELETES, FileFormat.AVRO)],
)
def test_deletes_that_can_not_be_read_are_refused(house, content, file_format):
    house.published(ROWS.format(3))
    commit(house, positions(house, (data_file(house), 1)), file_format, content)
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.deletes"


def test_rows_of_deletion_vectors_stay_deleted(house):
    house.published(ROWS.format(3), partition="a")
    house.published(ROWS.format(4), partition="b")
    first = {data_file(house, "a"): [1], data_file(house, "b"): [0, 2**32 + 5]}
    delete(house, puffin(folder(house) / "one.puffin", first))
    assert ours(house) == theirs(house) == [(0, "n0"), (1, "n1"), (2, "n2"), (2, "n2"), (3, "n3")]
    delete(house, puffin(folder(house) / "two.puffin", {data_file(house, "b"): [0, 3]}))
    assert ours(house) == theirs(house) == [(0, "n0"), (1, "n1"), (2, "n2"), (2, "n2")]
    house.published(ROWS.format(1), partition="a")
    assert ours(house) == [(0, "n0"), (1, "n1"), (2, "n2")]


def test_deletion_vectors_of_a_table_of_version_3_are_read_and_nothing_is_written(house):
    house.published(ROWS.format(3))
    delete(house, puffin(folder(house) / "one.puffin", {data_file(house): [1]}))
    as_version_3(house)
    assert ours(house) == [(0, "n0"), (2, "n2")]
    with pytest.raises(WarehouseError) as caught:
        house.published(ROWS.format(1))
    assert caught.value.key == "warehouse.format"
    assert ours(house) == [(0, "n0"), (2, "n2")]


def test_a_vector_whose_checksum_is_wrong_is_an_integrity_error(house):
    house.published(ROWS.format(3))
    delete(house, puffin(folder(house) / "one.puffin", {data_file(house): [1]}, checksum=1))
    with pytest.raises(IntegrityError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.damaged_file"


def test_a_puffin_file_that_was_cut_is_an_integrity_error(house):
    house.published(ROWS.format(3))
    path = puffin(folder(house) / "one.puffin", {data_file(house): [1]})
    delete(house, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.altered_file"


def test_a_puffin_file_of_anything_else_is_refused(house):
    house.published(ROWS.format(3))
    delete(house, puffin(folder(house) / "one.puffin", {data_file(house): [1]}, kind="apache-datasketches-theta-v1"))
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.deletes"


def test_position_deletes_in_orc_are_read(house):
    house.published(ROWS.format(3))
    path = folder(house) / "deletes.orc"
    found = pa.table({"file_path": [location_of(data_file(house))], "pos": pa.array([2], pa.int64())})
    pa.orc.write_table(found, path)
    delete(house, path, FileFormat.ORC)
    assert ours(house) == theirs(house) == [(0, "n0"), (1, "n1")]


def test_a_data_file_in_orc_is_read_without_its_deleted_rows(house):
    house.published(ROWS.format(1))
    schema = house.warehouse._open("clean.t").schema()
    found = pa.table({"id": pa.array([7, 8], pa.int64()), "name": ["x", "y"]})
    ids = [{b"iceberg.id": str(f.field_id).encode()} for f in schema.fields]
    found = found.cast(pa.schema([f.with_metadata(i) for f, i in zip(found.schema, ids, strict=True)]))
    path = folder(house) / "theirs.orc"
    pa.orc.write_table(found, path)
    with house.warehouse._open("clean.t").transaction() as change:
        change.set_properties({"schema.name-mapping.default": schema.name_mapping.model_dump_json()})
    commit(house, path, FileFormat.ORC, rows=2)
    assert ours(house) == theirs(house) == [(0, "n0"), (7, "x"), (8, "y")]
    delete(house, puffin(folder(house) / "one.puffin", {path: [0]}))
    assert ours(house) == theirs(house) == [(0, "n0"), (8, "y")]


def test_a_file_without_field_ids_is_read_by_the_names_that_its_table_maps(house):
    house.published(ROWS.format(1), partition="a")
    path = folder(house) / "theirs.parquet"
    pq.write_table(pa.table({"name": ["x"], "id": pa.array([7], pa.int64())}), path)
    house.warehouse._open("clean.t").add_files([location_of(path)], check_duplicate_files=False)
    assert ours(house) == theirs(house) == [(0, "n0"), (7, "x")]
    was = {"title": ("name",)}
    house.published(
        "SELECT 1::BIGINT AS id, 't1' AS title",
        columns={"id": "BIGINT", "title": "VARCHAR"},
        renamed=was,
        partition="b",
    )
    assert ours(house) == theirs(house) == [(0, "n0"), (1, "t1"), (7, "x")]


def test_a_file_that_nobody_can_map_is_refused(house):
    house.published(ROWS.format(1))
    path = folder(house) / "theirs.parquet"
    pq.write_table(pa.table({"name": ["x"], "id": pa.array([7], pa.int64())}), path)
    commit(house, path, FileFormat.PARQUET)
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.foreign_file"
    assert "theirs.parquet" in str(caught.value)


def test_a_column_whose_value_stands_only_in_the_partition_is_read_from_there(house):
    house.published(ROWS.format(1))
    with house.warehouse._open("clean.t").update_spec() as change:
        change.add_identity("name")
    field = pa.field("id", pa.int64(), metadata={b"PARQUET:field_id": b"1"})
    path = folder(house) / "name=x" / "theirs.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"id": [7]}, schema=pa.schema([field])), path)
    commit(house, path, FileFormat.PARQUET, partition=Record("x"), spec=1)
    assert ours(house) == theirs(house) == [(0, "n0"), (7, "x")]


def test_a_column_with_a_default_for_older_files_shows_it(house):
    house.published(ROWS.format(2))

    def with_default(metadata):
        more = {"id": 3, "name": "n", "type": "long", "required": False, "initial-default": 9}
        current = metadata["schemas"][0]
        metadata["schemas"].append({**current, "schema-id": 1, "fields": [*current["fields"], more]})
        metadata |= {"current-schema-id": 1, "last-column-id": 3}
        metadata["snapshots"][-1]["schema-id"] = 1

    as_version_3(house, with_default)
    assert ours(house) == theirs(house) == [(0, "n0", 9), (1, "n1", 9)]


def test_a_type_that_duckdb_can_not_show_exactly_is_refused_by_name(house):
    house.published(ROWS.format(1))

    def with_nanoseconds(metadata):
        more = {"id": 3, "name": "at", "type": "timestamp_ns", "required": False}
        metadata["schemas"][0]["fields"].append(more)

    as_version_3(house, with_nanoseconds)
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.foreign_type"
    assert "timestamp_ns" in str(caught.value)


def test_an_encrypted_file_is_refused(house, monkeypatch):
    house.published(ROWS.format(1))
    monkeypatch.setattr(DataFile, "key_metadata", b"key")
    with pytest.raises(WarehouseError) as caught:
        house.rows()
    assert caught.value.key == "warehouse.foreign_file"


def test_files_of_other_engines_are_read_once_and_leave_nothing_half_written(house, monkeypatch):
    from ecluse.warehouse import foreign

    house.published(ROWS.format(3))
    delete(house, puffin(folder(house) / "one.puffin", {data_file(house): [1]}))
    assert ours(house) == [(0, "n0"), (2, "n2")]
    monkeypatch.setattr(foreign, "_vectors", lambda *_: pytest.fail("read twice"))
    assert ours(house) == [(0, "n0"), (2, "n2")]
    assert not list(foreign._folder().glob("*.part"))


def test_columns_of_every_type_pass_through_the_other_reader(house):
    kinds = {"i": "INTEGER", "d": "DECIMAL(9,2)", "s": "STRUCT(a INTEGER, b VARCHAR[])", "m": "MAP(VARCHAR, BIGINT)"}
    kinds |= {"t": "TIMESTAMP WITH TIME ZONE", "u": "UUID", "b": "BLOB", "day": "DATE", "f": "FLOAT", "c": "TIME"}
    sql = """SELECT 1::INTEGER AS i, 1.25::DECIMAL(9,2) AS d, {'a': 1, 'b': ['x', NULL]} AS s, MAP {'k': 2::BIGINT} AS m,
        TIMESTAMPTZ '2013-02-09 01:02:03.000004+00' AS t, '00000000-0000-0000-0000-000000000001'::UUID AS u,
        '\\x00\\xFF'::BLOB AS b, DATE '2013-02-09' AS day, 1.5::FLOAT AS f, TIME '23:59:59.999999' AS c"""
    house.published(sql, columns=kinds)
    before = house.rows()
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("ecluse.warehouse.read.needs_reader", lambda *_: True)
        assert house.rows() == before
