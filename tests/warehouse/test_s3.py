"""A warehouse in an object store: written, raced for, swept, and read through bounded copies."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from ecluse.engine import Engine
from ecluse.errors import Conflict, IntegrityError, StorageError
from ecluse.store import Database
from ecluse.warehouse import Warehouse, open_store
from ecluse.warehouse.copies import Copies
from ecluse.warehouse.io import sha256
from ecluse.warehouse.objects import Wanted
from ecluse.warehouse.read import select_sql

NOW = timedelta(0)
ROWS = "SELECT {0}::BIGINT AS id, 'n{0}' AS name"


class Lake:
    def __init__(self, s3, tmp_path):
        self.s3, self.location = s3, s3.location(tmp_path / "objects")
        self.database = Database(f"sqlite:///{tmp_path / 'ecluse.db'}")
        self.engine = Engine(threads=1)
        self.warehouse = self.another()
        self.runs = 0

    def another(self):
        return Warehouse(self.location, self.database)

    def staged(self, sql, update="replace", partition=None, warehouse=None):
        self.runs += 1
        warehouse = warehouse or self.warehouse
        begun = warehouse.begin(
            "clean.t", {"id": "BIGINT", "name": "VARCHAR"}, partition=partition, run_id=f"r{self.runs}", attempt=1
        )
        return warehouse.write(self.engine, begun, sql, update)

    def publish(self, candidate, warehouse=None):
        prepared = (warehouse or self.warehouse).prepare([candidate])
        with self.database.transaction() as connection:
            prepared.apply(connection)
        return candidate

    def published(self, sql, **more):
        return self.publish(self.staged(sql, **more))

    def rows(self, warehouse=None, snapshot=None):
        warehouse = warehouse or self.warehouse
        source = warehouse.scan("clean.t", snapshot or warehouse.head("clean.t"))
        return [row[0] for row in self.engine.rows(f"SELECT id FROM {source} ORDER BY id")]

    def names(self, ending=".parquet"):
        return [name for name in self.s3.names_in(self.location.bucket) if name.endswith(ending)]


@pytest.fixture
def lake(s3, tmp_path):
    made = Lake(s3, tmp_path)
    yield made
    made.engine.close()
    made.database.close()


def test_every_file_of_a_published_table_lies_in_the_bucket(lake):
    candidate = lake.published(ROWS.format(1))
    assert lake.names() == [f"{lake.location.bucket}/lake/{file.path}" for file in candidate.files]
    assert lake.names(".metadata.json")
    assert lake.rows(lake.another()) == [1]
    table = lake.warehouse._open("clean.t")
    assert table.metadata.location == f"{lake.location}/clean/t"
    assert "key" not in str({**table.metadata.properties, **table.io.properties, **lake.warehouse._catalog.properties})
    theirs = SqlCatalog("ecluse", uri=str(lake.database.engine.url), **{"s3.endpoint": lake.s3.url})
    assert theirs.load_table("clean.t").scan().to_arrow()["id"].to_pylist() == [1]
    theirs.close()


def test_a_prefix_may_be_empty(s3, tmp_path, lake):
    lake.location = s3.location(tmp_path / "objects", prefix="")
    lake.warehouse = lake.another()
    lake.published(ROWS.format(1))
    assert lake.names()[0].startswith(f"{lake.location.bucket}/clean/t/data/")
    assert lake.warehouse.sweep(grace=NOW, dry_run=True) == ()


def test_a_lost_race_is_rebased_or_refused_and_loses_nothing(lake):
    other = lake.another()
    lake.published(ROWS.format(0), partition="a")
    slow = lake.staged(ROWS.format(1), partition="a")
    lake.publish(lake.staged(ROWS.format(2), partition="b", warehouse=other), other)
    with pytest.raises(Conflict):
        lake.publish(slow)
    lake.publish(lake.warehouse.rebase(slow))
    assert lake.rows() == lake.rows(other) == [1, 2]


def test_a_discarded_candidate_leaves_no_object(lake):
    lake.published(ROWS.format(1))
    candidate = lake.staged(ROWS.format(2))
    assert len(lake.names()) == 2
    lake.warehouse.discard(candidate)
    assert len(lake.names()) == 1
    assert lake.rows() == [1]
    assert lake.warehouse.sweep(grace=NOW, dry_run=True) == ()


def test_expired_files_keep_their_grace_and_are_then_swept_with_their_marks(lake):
    first, second = (lake.published(ROWS.format(i)) for i in (1, 2))
    (old,) = first.files
    lake.warehouse.expire("clean.t", (), NOW)
    # NOTE: whole seconds are all that the store tells of a time.
    assert old.path not in {o.path for o in lake.warehouse.sweep(grace=timedelta(hours=1))}
    assert lake.names(f"{old.path}.touched")
    assert old.path in {o.path for o in lake.warehouse.sweep(grace=-timedelta(seconds=2))}
    assert lake.names(".touched") == []
    assert lake.names() == [f"{lake.location.bucket}/lake/{second.files[0].path}"]
    assert lake.warehouse.sweep(grace=-timedelta(seconds=2)) == ()
    cached = list((lake.location.local / "cache").iterdir())
    assert len(cached) == 1
    assert lake.rows() == [2]


def test_a_sweep_of_one_table_leaves_those_inside_of_it_alone(lake):
    lake.published(ROWS.format(1))
    for place in ("clean/t/data/partition=all/x-1-0/d.parquet", "clean/t/data/data/partition=all/x-1-0/d.parquet"):
        lake.s3.write(f"{lake.location.bucket}/lake/{place}", b"left")
    lake.s3.write(f"{lake.location.bucket}/lake/notes.txt", b"not ours")
    made = lake.warehouse.begin("clean.t.data", {"id": "BIGINT"}, partition=None, run_id="r", attempt=1)
    lake.warehouse.discard(made)
    assert len(lake.warehouse.sweep("clean.t", -timedelta(seconds=2))) == 1
    assert len(lake.names("d.parquet")) == 1
    lake.warehouse.sweep(grace=-timedelta(seconds=2))
    assert lake.names("d.parquet") == []
    assert len(lake.names("notes.txt")) == 1


def test_a_second_process_reads_the_shared_copy_and_asks_only_for_the_version(lake):
    (file,) = lake.published(ROWS.format(1)).files
    (entry,) = (lake.location.local / "cache").iterdir()
    other = lake.another()
    assert lake.rows(other) == [1]
    assert other.path(file).stat().st_ino == entry.stat().st_ino == lake.warehouse.path(file).stat().st_ino


def test_a_damaged_copy_is_fetched_anew(lake):
    (file,) = lake.published(ROWS.format(1)).files
    (entry,) = (lake.location.local / "cache").iterdir()
    content = entry.read_bytes()
    for damaged in (content[:-1] + bytes([content[-1] ^ 1]), content[:10]):
        entry.unlink()
        entry.write_bytes(damaged)
        assert open_store(lake.location).digest(file.path) == file.sha256 == sha256(entry)
        entry.write_bytes(damaged)
        other = lake.another()
        assert lake.rows(other) == [1]
        assert sha256(other.path(file)) == file.sha256 == sha256(entry)


def test_copies_are_deleted_with_their_process_also_when_it_is_killed(lake):
    (file,) = lake.published(ROWS.format(1)).files
    held = lake.location.local / "held"
    code = (
        "import os, pathlib, signal, sys; from ecluse.warehouse.copies import Copies;"
        f"made = Copies(pathlib.Path({str(lake.location.local)!r}), 1); (made.held / 'x').touch();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(held.glob("*/x"))) == 1
    other = lake.another()
    assert list(held.glob("*/x")) == []
    assert other.objects.fetch("clean.t", [Wanted(file.path, file.bytes)], lambda _: {})[file.path].exists()
    mine = other.objects._copies.held
    del other
    assert not mine.exists()
    assert lake.rows() == [1]


def test_the_longest_unused_copies_make_room_and_what_is_read_stays(tmp_path):
    copies = Copies(tmp_path, limit=250)

    def add(name):
        path = copies.held / name
        path.write_bytes(name.encode() * 100)
        copies.keep(f"s3://b/{name}", "v", path, sha256(path))

    def there(name, **more):
        found = copies.take(f"s3://b/{name}", more.get("version", "v"), tmp_path / "held" / f"again-{name}")
        return found is not None

    add("a")
    add("b")
    assert there("a")
    add("c")
    assert (there("b"), there("a"), there("c"), there("c", version="w")) == (False, True, True, False)
    assert (copies.held / "b").read_bytes() == b"b" * 100
    copies.forget("s3://b/a")
    assert not there("a")


def test_an_entry_that_is_being_made_is_not_what_others_delete_for_room(tmp_path, monkeypatch):
    one, other = Copies(tmp_path, limit=1), Copies(tmp_path, limit=1)
    link = os.link

    def add(copies, name):
        path = copies.held / name
        path.write_bytes(name.encode())
        copies.keep(f"s3://b/{name}", "v", path, sha256(path))

    def link_while_another_keeps(*paths):
        monkeypatch.setattr(os, "link", link)
        link(*paths)
        add(other, "bbb")

    monkeypatch.setattr(os, "link", link_while_another_keeps)
    add(one, "a")
    assert [entry.stat().st_size for entry in (tmp_path / "cache").iterdir()] == [1]


def test_a_name_that_leads_out_of_the_folder_of_copies_is_refused(lake):
    store = open_store(lake.location)
    with pytest.raises(IntegrityError):
        store.local("s3://bucket/../../../../etc/passwd")
    assert store.path(f"s3a://{lake.location.bucket}/lake/clean/t") == "clean/t"
    assert store.location_of("s3://other/x") == "s3://other/x"


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_rows_deleted_by_position_are_found_in_the_copies(lake, tmp_path, scheme):
    (file,) = lake.published("SELECT i::BIGINT AS id, 'n' AS name FROM range(4) r(i)").files
    objects, schema = lake.warehouse.objects, lake.warehouse._open("clean.t").schema()
    location = objects.location_of(file.path).replace("s3://", f"{scheme}://")
    pq.write_table(pa.table({"file_path": [location] * 2, "pos": [1, 2]}), tmp_path / "gone.parquet")
    sql = select_sql(schema, {(tmp_path / "gone.parquet",): [objects.local(file.path)]}, objects.stem)
    assert [row[0] for row in lake.engine.rows(f"SELECT id FROM {sql} ORDER BY id")] == [0, 3]


def test_readers_that_take_each_others_room_read_right_all_the_same(lake, tmp_path):
    for part in "abc":
        lake.published(ROWS.format(ord(part)), partition=part)
    crowded = replace(lake.location, local=tmp_path / "crowded", cache_bytes=1)
    head = lake.warehouse.head("clean.t")

    def read(_):
        warehouse = Warehouse(crowded, lake.database)
        with Engine(threads=1) as engine:
            return engine.rows(f"SELECT id FROM {warehouse.scan('clean.t', head)} ORDER BY id")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(8))) == [[(97,), (98,), (99,)]] * 8
    assert list((crowded.local / "cache").iterdir()) == []


def test_an_upload_that_did_not_arrive_whole_is_no_candidate(lake, monkeypatch):
    lake.published(ROWS.format(1))
    objects = lake.warehouse.objects
    monkeypatch.setattr(objects, "_head", lambda _: (1, "v"))
    with pytest.raises(StorageError) as caught:
        lake.staged(ROWS.format(2))
    assert caught.value.key == "warehouse.upload"
    assert lake.rows(lake.another()) == [1]
