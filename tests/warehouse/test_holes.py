"""What PyIceberg 0.12 itself does that a gate can't stand on, and that a table of the warehouse does otherwise.

The first half of each test is PyIceberg alone: when it fails, PyIceberg has changed, and our answer may be needless. ADR
0018 has the whole table, with the tests of the answers that stand elsewhere.
"""

from __future__ import annotations

import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from ecluse.errors import Conflict, DefinitionError, WarehouseError

ROWS = pa.table({"id": pa.array([1], pa.int64()), "name": ["ada"]})
SCHEMA = Schema(NestedField(1, "id", LongType(), required=False), NestedField(2, "name", StringType(), required=False))
ONE = "SELECT 1::BIGINT AS id, 'ada' AS name"


class Raw:
    """PyIceberg's own catalog and tables."""

    def __init__(self, root):
        self.root = root
        self.catalog = SqlCatalog("raw", uri=f"sqlite:///{root / 'raw.db'}", warehouse=f"file://{root}")
        self.catalog.create_namespace("raw")
        self.names = itertools.count()

    def table(self, rows=ROWS, **more):
        found = self.catalog.create_table(f"raw.t{next(self.names)}", schema=SCHEMA, **more)
        if rows is not None:
            found.append(rows)
        return found

    def again(self, table):
        return self.catalog.load_table(table.name())

    def file(self, rows, name="theirs.parquet"):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(rows, path)
        return str(path)


@pytest.fixture
def raw(tmp_path):
    found = Raw(tmp_path)
    yield found
    found.catalog.close()


def test_a_table_without_snapshots_can_have_no_branch(raw, house):
    with pytest.raises(CommitFailedException):
        raw.table(rows=None).append(ROWS, branch="audit")
    candidate = house.staged(ONE)
    assert house.warehouse.head("clean.t") is None
    assert house.rows(snapshot=candidate.snapshot_id) == [(1, "ada")]


def test_a_new_branch_has_no_parent(raw, house):
    table = raw.table()
    table.append(ROWS, branch="audit")
    made = table.snapshot_by_name("audit")
    assert made.parent_snapshot_id is None
    first = house.published(ONE, partition="a")
    staged = house.staged(ONE, partition="b")
    metadata = house.warehouse._open("clean.t").metadata
    assert metadata.snapshot_by_id(staged.snapshot_id).parent_snapshot_id == first
    house.published(ONE, partition="c")
    moved = house.warehouse.rebase(staged)
    metadata = house.warehouse._open("clean.t").metadata
    assert metadata.snapshot_by_id(moved.snapshot_id).parent_snapshot_id == house.warehouse.head("clean.t")


def test_main_can_be_set_to_what_never_followed_from_it(raw, house):
    table = raw.table()
    table.append(ROWS, branch="audit")
    other = table.snapshot_by_name("audit").snapshot_id
    table.manage_snapshots().set_current_snapshot(other).commit()
    assert table.current_snapshot().snapshot_id == other
    house.published(ONE)
    candidate = house.staged("SELECT 2::BIGINT AS id, 'bo' AS name", partition="b")
    with pytest.raises(WarehouseError) as caught:
        house.warehouse.rollback("clean.t", candidate.snapshot_id)
    assert caught.value.key == "warehouse.not_published"


def test_a_tag_moves_without_a_word(raw, house):
    table = raw.table()
    first = table.current_snapshot().snapshot_id
    table.append(ROWS)
    table.manage_snapshots().create_tag(first, "v1").commit()
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "v1").commit()
    assert table.metadata.refs["v1"].snapshot_id != first
    one, two = house.published(ONE), house.published(ONE)
    house.warehouse.tag("clean.t", "v1", one)
    with pytest.raises(Conflict):
        house.warehouse.tag("clean.t", "v1", two)


def test_writers_on_different_branches_disturb_each_other(raw, house, monkeypatch):
    table = raw.table()
    for branch in ("one", "two"):
        table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, branch).commit()
    first, second = raw.again(table), raw.again(table)
    first.append(ROWS, branch="one")
    with pytest.raises(ValueError, match="sequence number"):
        second.append(ROWS, branch="two")
    house.published(ONE)
    a, b = house.begin(partition="a"), house.begin(partition="b")
    stage, made = house.warehouse._catalog.stage, []

    def overtaken(draft):
        """``a`` is written after ``b`` was drafted, and before ``b`` commits."""
        if not made:
            made.append(None)
            made[0] = house.warehouse.write(house.engine, a, ONE, "replace")
        return stage(draft)

    monkeypatch.setattr(house.warehouse._catalog, "stage", overtaken)
    b = house.warehouse.write(house.engine, b, ONE, "replace")
    house.publish(made[0])
    house.publish(house.warehouse.rebase(b))
    assert len(house.rows()) == 3


def test_a_dropped_column_rises_again_in_files_without_field_ids(raw, house):
    table = raw.table(rows=None)
    table.add_files([raw.file(ROWS)])
    for change in ("delete_column", "add_column"):
        with table.update_schema() as update:
            getattr(update, change)("name", *([StringType()] if change == "add_column" else []))
    assert table.scan().to_arrow().to_pylist() == [{"id": 1, "name": "ada"}]
    house.published(ONE, partition="a")
    house.published("SELECT 2::BIGINT AS id", columns={"id": "BIGINT"}, partition="b")
    house.published("SELECT 3::BIGINT AS id, 'cy' AS name", partition="b")
    assert house.rows() == [(1, None), (3, "cy")]


def test_a_partition_is_told_by_the_bounds_of_its_column_or_lost(raw, house):
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))
    table = raw.table(rows=None, partition_spec=spec)
    two = pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["ada", "bo"]})
    with pytest.raises(ValueError, match="more than one partition value"):
        table.add_files([raw.file(two)])
    table.add_files([raw.file(ROWS.select(["id"]), "name=ada/theirs.parquet")])
    assert table.scan().to_arrow().to_pylist() == [{"id": 1, "name": None}]
    house.published(f"{ONE} UNION ALL SELECT 2, 'bo'", partition="ada")
    assert house.rows(partitions=["ada"]) == [(1, "ada"), (2, "bo")]


def test_manifests_hold_values_of_every_column(raw, house):
    (task,) = raw.table().scan().plan_files()
    assert b"ada" in task.file.lower_bounds.values()
    house.published(ONE, personal=["name"])
    (task,) = house.warehouse._open("clean.t").scan().plan_files()
    assert set(task.file.lower_bounds) == {1}


@pytest.mark.parametrize(
    ("kind", "of_duckdb"),
    [
        (pa.timestamp("ns"), "TIMESTAMP_NS"),
        (pa.month_day_nano_interval(), "INTERVAL"),
        (pa.uint64(), "UBIGINT"),
        (None, "UINTEGER"),
        (None, "UHUGEINT"),
    ],
    ids=str,
)
def test_some_types_fail_in_ways_that_name_no_remedy(raw, house, kind, of_duckdb):
    if kind is not None:
        values = pa.array([2**64 - 1] if kind == pa.uint64() else [None], kind)
        with pytest.raises(Exception, match=r"unsupported type|range|number <="):
            raw.catalog.create_table("raw.odd", schema=pa.schema([("odd", kind)])).append(pa.table({"odd": values}))
    with pytest.raises(DefinitionError) as caught:
        house.begin(columns={"odd": of_duckdb})
    assert caught.value.key == "warehouse.column_type"
    assert "CAST(odd AS BIGINT)" in str(caught.value)


def test_an_expired_snapshot_leaves_all_of_its_files(raw, house):
    from datetime import timedelta

    table = raw.table()
    first = table.current_snapshot().snapshot_id
    table.overwrite(ROWS)
    before = set(raw.root.rglob("raw/**/*.parquet"))
    table.maintenance.expire_snapshots().by_id(first).commit()
    assert set(raw.root.rglob("raw/**/*.parquet")) == before
    house.published(ONE)
    house.published(ONE)
    house.warehouse.expire("clean.t", keep=(), older_than=timedelta(0))
    house.warehouse.sweep("clean.t", grace=timedelta(0))
    assert len(house.data_files()) == 1
