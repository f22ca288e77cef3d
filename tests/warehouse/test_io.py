"""Files are on the disk before anything points to them."""

from __future__ import annotations

import os

import pytest

from ecluse.warehouse.io import DurableFileIO, local_path, location_of, sync


@pytest.fixture
def synced(monkeypatch):
    """The files and folders that were really synced, by inode, in order."""
    found, real = [], os.fsync

    def fsync(descriptor):
        found.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_every_file_and_folder_is_synced_before_a_table_moves(house, synced):
    candidate = house.staged("SELECT 1::BIGINT AS id, 'n1' AS name", partition="a")
    prepared = house.warehouse.prepare([candidate])
    root = house.warehouse.root
    assert [path for path in root.rglob("*") if path.stat().st_ino not in synced] == []
    assert prepared.candidates == (candidate,)


def test_a_folder_s_new_parents_are_synced_too(tmp_path, synced):
    file = tmp_path / "a" / "b" / "c.txt"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    sync(file, up_to=tmp_path)
    assert synced == [p.stat().st_ino for p in (file, tmp_path / "a" / "b", tmp_path / "a", tmp_path)]


def test_locations_and_paths_are_each_others_inverse(tmp_path):
    path = tmp_path / "a #?%20b"
    assert local_path(location_of(path)) == path
    assert local_path(f"file:{path}") == path
    assert local_path(str(path)) == path


def test_what_was_written_can_be_read_back(tmp_path, synced):
    io = DurableFileIO()
    with io.new_output(location_of(tmp_path / "a#b")).create() as stream:
        stream.write(b"abc")
        assert stream.tell() == 3
    with io.new_input(location_of(tmp_path / "a#b")).open() as stream:
        assert stream.read() == b"abc"
    assert (tmp_path / "a#b").stat().st_ino in synced
