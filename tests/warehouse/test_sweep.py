"""Sweeping deletes what nothing refers to, and nothing else; expiry forgets only what nobody needs."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from ecluse.errors import IntegrityError
from ecluse.store.schema import data_files
from ecluse.warehouse.io import local_path
from ecluse.warehouse.sweep import referenced

ONE, TWO, THREE = (f"SELECT {i}::BIGINT AS id, 'n{i}' AS name" for i in (1, 2, 3))
NOW, WEEK = timedelta(0), timedelta(days=7)


def files(house):
    return {path for path in house.warehouse.root.rglob("*") if path.is_file()}


def leave(path, days=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))
    return path


def test_nothing_that_is_referred_to_is_swept(house):
    first = house.published(ONE)
    house.published(TWO, dataset="clean.other", partition="a")
    house.published(TWO)
    house.warehouse.tag("clean.t", "v1", first)
    house.warehouse.rollback("clean.t", first)
    house.staged(THREE)
    before = files(house)
    assert house.warehouse.sweep(grace=NOW) == ()
    assert files(house) == before


@pytest.mark.parametrize(
    "place",
    [
        "clean/t/data/partition=all/gone-1-0a/data_0000.parquet",
        "clean/t/metadata/abandoned-m0.avro",
        "clean/never/metadata/00000-abandoned.metadata.json",
    ],
    ids=["data of a killed run", "a manifest", "a table that was never finished"],
)
def test_what_a_killed_run_left_is_swept_after_its_grace(house, place):
    house.published(ONE)
    before = files(house)
    left = leave(house.warehouse.root / place, days=6)
    assert house.warehouse.sweep(grace=WEEK) == ()
    left = leave(left, days=8)
    assert [(o.path, o.bytes) for o in house.warehouse.sweep(grace=WEEK, dry_run=True)] == [(place, 11)]
    assert left.exists()
    assert [o.path for o in house.warehouse.sweep(grace=WEEK)] == [place]
    assert files(house) == before
    assert not left.parent.exists() or left.parent.name == "metadata"
    assert house.rows() == [(1, "n1")]


def test_one_table_is_swept_without_the_others(house):
    house.published(ONE)
    house.published(ONE, dataset="clean.t.data")
    mine = leave(house.warehouse.root / "clean/t/data/partition=all/x-1-0/data_0000.parquet")
    other = leave(house.warehouse.root / "clean/t/data/data/partition=all/x-1-0/data_0000.parquet")
    assert len(house.warehouse.sweep("clean.t", NOW)) == 1
    assert (mine.exists(), other.exists()) == (False, True)
    assert house.rows("clean.t.data") == [(1, "n1")]
    assert len(house.warehouse.sweep(grace=NOW)) == 1


def test_files_of_a_run_that_is_at_work_stay(house):
    candidate = house.begin(run="busy")
    left = leave(house.warehouse.root / "clean/t/data/partition=all/busy-1-0a/data_0000.parquet", days=30)
    assert house.warehouse.sweep(grace=NOW) == ()
    house.warehouse.discard(candidate)
    assert len(house.warehouse.sweep(grace=NOW)) >= 1
    assert not left.exists()


def test_files_that_are_not_the_warehouses_stay(house):
    house.published(ONE)
    for place in ("README.md", "clean/notes.txt", "clean/t/notes.txt"):
        leave(house.warehouse.root / place, days=30)
    assert house.warehouse.sweep(grace=NOW) == ()


def test_nothing_is_swept_where_a_manifest_can_not_be_read(house):
    house.published(ONE)
    left = leave(house.warehouse.root / "clean/t/data/partition=all/x-1-0/data_0000.parquet")
    for manifest in (house.warehouse.root / "clean/t/metadata").glob("*.avro"):
        manifest.write_bytes(b"")
    with pytest.raises(IntegrityError):
        house.warehouse.sweep(grace=NOW)
    assert left.exists()


def test_expiry_keeps_what_main_a_tag_a_candidate_or_the_caller_needs(house):
    ids = [house.published(f"SELECT {i}::BIGINT AS id, 'n' AS name") for i in range(5)]
    house.warehouse.tag("clean.t", "v1", ids[1])
    assert house.warehouse.expire("clean.t", {ids[2]}, WEEK) == ()
    assert house.warehouse.expire("clean.t", {ids[2]}, NOW) == (ids[0], ids[3])
    for kept in (ids[1], ids[2], ids[4]):
        assert house.rows(snapshot=kept) == [(ids.index(kept), "n")]
    assert house.warehouse.head("clean.t") == ids[4]
    house.warehouse.rollback("clean.t", ids[2])
    assert house.rows() == [(2, "n")]
    house.warehouse.rollback("clean.t", None)
    house.published(ONE)
    assert house.rows() == [(1, "n1")]


def test_files_of_expired_snapshots_have_their_grace_from_then_on(house):
    first, second = house.published(ONE), house.published(TWO)
    old = house.warehouse.path(house.warehouse.files("clean.t", first)[0])
    for path in files(house):
        os.utime(path, (0, 0))
    assert house.warehouse.expire("clean.t", (), timedelta(0)) == (first,)
    assert [o for o in house.warehouse.sweep(grace=timedelta(hours=1)) if o.path.endswith(".parquet")] == []
    assert old.exists()
    swept = {o.path for o in house.warehouse.sweep(grace=NOW)}
    assert not old.exists()
    assert str(old.relative_to(house.warehouse.root)) in swept
    assert house.rows(snapshot=second) == [(2, "n2")]
    with house.database.reading() as connection:
        known = set(connection.execute(select(data_files.c.path)).scalars())
    assert known == {f.path for f in house.warehouse.files("clean.t", second)}


def test_after_a_sweep_every_file_is_one_that_the_tables_refer_to(house):
    for i in range(4):
        house.published(f"SELECT {i}::BIGINT AS id, 'n' AS name", partition=str(i % 2))
    house.warehouse.expire("clean.t", (), NOW)
    house.warehouse.sweep(grace=NOW)
    table = house.warehouse._catalog.open("clean.t")
    assert files(house) == {local_path(location) for location in referenced(table)}
    assert [i for i, _ in house.rows()] == [2, 3]


def test_a_candidate_outlives_the_expiry_of_what_it_stands_on(house):
    house.published(ONE)
    candidate = house.staged(TWO, partition="a")
    house.published(THREE)
    house.warehouse.expire("clean.t", (), NOW)
    house.warehouse.sweep(grace=NOW)
    house.publish(house.warehouse.rebase(candidate))
    assert sorted(i for i, _ in house.rows()) == [2, 3]


def test_only_the_files_that_differ_are_read_for_a_comparison(house):
    first = house.published(ONE, partition="a")
    second = house.published(TWO, partition="b")
    one, two = house.warehouse.scan_unshared("clean.t", first, second)
    assert (house.engine.rows(f"SELECT * FROM {one}"), house.engine.rows(f"SELECT id FROM {two}")) == ([], [(2,)])
