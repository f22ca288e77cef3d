"""Tables that were begun and never held a version are forgotten, unless somebody works on them."""

from __future__ import annotations

from datetime import timedelta

import pytest

NOW, DAY = timedelta(0), timedelta(days=1)
ONE = "SELECT 1::BIGINT AS id, 'a' AS name"


def begun(house, dataset="clean.t"):
    """A table of which a candidate was begun and discarded: nothing was ever written."""
    house.warehouse.discard(house.begin(dataset=dataset))
    return dataset


def test_a_table_without_a_version_is_forgotten_after_its_grace_and_its_files_are_swept(house):
    begun(house)
    assert house.warehouse.empty_tables(DAY) == ()
    assert house.warehouse.empty_tables(NOW) == ("clean.t",)
    assert house.warehouse.drop_empty("clean.t")
    assert house.warehouse.datasets() == []
    assert all(one.path.startswith("clean/t/") for one in house.warehouse.sweep(grace=NOW))
    assert [path for path in house.warehouse.root.rglob("*") if path.is_file()] == []
    assert house.published(ONE) == house.warehouse.head("clean.t")


@pytest.mark.parametrize("what", ["published", "blocked", "gone back", "tagged"])
def test_a_table_that_holds_or_held_something_is_not_empty(house, what):
    if what == "blocked":
        house.warehouse.release(house.staged(ONE))
    else:
        house.published(ONE)
    if what == "gone back":
        house.warehouse.rollback("clean.t", None)
    if what == "tagged":
        house.warehouse.tag("clean.t", "v1", house.warehouse.head("clean.t"))
    assert house.warehouse.empty_tables(NOW) == ()
    assert not house.warehouse.drop_empty("clean.t")


def test_a_table_on_which_somebody_works_is_left(house):
    candidate = house.begin()
    assert house.warehouse.empty_tables(NOW) == ()
    assert not house.warehouse.drop_empty("clean.t")
    house.warehouse.discard(candidate)
    other = house.begin(partition="a")
    house.warehouse.occupy(other, ["b"])
    house.warehouse.discard(other)
    assert not house.warehouse.drop_empty("clean.t")
    with house.database.transaction() as connection:
        house.warehouse.vacate(other.run_id, connection)
    assert house.warehouse.drop_empty("clean.t")


def test_a_table_that_was_written_meanwhile_is_left(house, monkeypatch):
    begun(house)
    catalog = house.warehouse._catalog
    real = catalog.drop

    def meanwhile(connection, table):
        monkeypatch.undo()
        stale = type(table)(table.name(), table.metadata, "older.metadata.json", table.io, table.catalog)
        return real(connection, stale)

    monkeypatch.setattr(catalog, "drop", meanwhile)
    assert not house.warehouse.drop_empty("clean.t")
    assert house.warehouse.datasets() == ["clean.t"]
