"""What a candidate does to published files: what it adds, takes away, carries over, and finds there already."""

from __future__ import annotations

import pytest
from pyiceberg.manifest import FileFormat

from ecluse.errors import Conflict
from ecluse.warehouse import HANDED_ON, Change
from tests.warehouse.test_foreign import data_file, delete, positions

ROWS = "SELECT i::BIGINT AS id, 'n' || i AS name FROM range({}, {}) r(i)"


def paths(house):
    return [file.path for file in house.warehouse.files("clean.t", house.warehouse.head("clean.t"))]


def count(house, snapshot=None):
    return house.warehouse.count(house.engine, "clean.t", snapshot or house.warehouse.head("clean.t"))


def test_the_same_rows_in_another_order_keep_the_published_file(house):
    house.published(ROWS.format(0, 50))
    before = paths(house)
    candidate = house.staged(ROWS.format(0, 50) + " ORDER BY id DESC")
    assert (candidate.files, candidate.removed, [f.path for f in candidate.kept]) == ((), (), before)
    assert house.engine.scalar(f"SELECT sum(id) FROM {house.warehouse.scan_files(candidate)}") == 1225
    house.publish(candidate)
    assert paths(house) == before


def test_no_file_is_left_of_rows_that_were_published_already(house):
    house.published(ROWS.format(0, 50))
    before = house.data_files()
    house.published(ROWS.format(0, 50) + " ORDER BY id DESC")
    assert house.data_files() == before


@pytest.mark.parametrize("order", ["", " ORDER BY id DESC"])
@pytest.mark.parametrize("damage", ["longer", "other bytes", "gone"])
def test_a_published_file_that_was_damaged_is_not_kept(house, order, damage):
    house.published(ROWS.format(0, 50))
    (path,) = paths(house)
    file = house.warehouse.objects.local(path)
    if damage == "gone":
        file.unlink()
    else:
        there = file.read_bytes()
        file.write_bytes(there + b"x" if damage == "longer" else there[:40] + bytes([there[40] ^ 1]) + there[41:])
    house.published(ROWS.format(0, 50) + order)
    assert path not in paths(house)
    assert sorted(house.rows()) == [(i, f"n{i}") for i in range(50)]


def test_rows_that_another_engine_deleted_are_computed_again(house):
    house.published(ROWS.format(0, 3))
    delete(house, positions(house, (data_file(house), 1)), FileFormat.PARQUET)
    assert count(house) == 2
    house.published(ROWS.format(0, 3))
    assert house.rows() == [(0, "n0"), (1, "n1"), (2, "n2")]
    assert count(house) == 3


def test_a_row_says_in_which_file_it_lies_and_deleted_ones_stay_deleted(house):
    house.published(ROWS.format(0, 3))
    delete(house, positions(house, (data_file(house), 1)), FileFormat.PARQUET)
    house.published(ROWS.format(5, 6), update="append")
    candidate = house.begin()
    sql, names = house.warehouse.scan_located(candidate, "_file")
    found = sorted((names[name], id) for id, _, name in house.engine.rows(f"SELECT * FROM {sql}"))
    assert {path for path, _ in found} == set(paths(house))
    assert sorted(id for _, id in found) == [0, 2, 5]


def test_what_a_snapshot_hands_on_stays_through_changes_of_every_kind(house):
    marked = Change({None: ROWS.format(0, 1)}, marks={f"{HANDED_ON}until": "7", "other": "x"})
    house.publish(house.warehouse.change(house.engine, house.begin(), marked, "append"))
    house.published(ROWS.format(1, 2), update="append")
    house.published(ROWS.format(9, 10))
    marks = house.warehouse.marks("clean.t", house.warehouse.head("clean.t"))
    assert marks[f"{HANDED_ON}until"] == "7"
    assert "other" not in marks


def test_a_change_of_what_was_looked_at_is_a_conflict_and_restart_begins_on_it(house):
    house.published(ROWS.format(0, 2))
    looking = Change({None: ROWS.format(5, 6)}, looks_at=None)
    candidate = house.warehouse.change(house.engine, house.begin(shared=True), looking, "merge")
    house.published(ROWS.format(2, 3), update="append", shared=True)
    with pytest.raises(Conflict, match="clean"):
        house.warehouse.rebase(candidate)
    candidate = house.warehouse.restart(candidate)
    assert candidate.base == house.warehouse.head("clean.t")
    house.publish(house.warehouse.change(house.engine, candidate, looking, "merge"))
    assert [id for id, _ in house.rows()] == [0, 1, 2, 5]


def test_only_the_files_that_go_are_gone(house):
    house.published(ROWS.format(0, 2), update="append")
    house.published(ROWS.format(2, 4), update="append")
    first = next(p for p in paths(house) if house.engine.scalar(
        f"SELECT min(id) FROM '{house.warehouse.objects.local(p)}'") == 0)  # fmt: skip
    change = Change(
        {None: ROWS.format(9, 10)}, carried={None: ROWS.format(1, 2)}, removed=frozenset({first}), looks_at=None
    )
    candidate = house.warehouse.change(house.engine, house.begin(), change, "merge")
    assert (candidate.rows, [f.rows for f in candidate.carried]) == (1, [1])
    before = paths(house)
    house.publish(candidate)
    assert [id for id, _ in house.rows()] == [1, 2, 3, 9]
    assert set(paths(house)) == (set(before) - {first}) | {file.path for file in candidate.written}
