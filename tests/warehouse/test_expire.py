"""Expiry by age and number: what is counted, from when on, and what happens in the same transaction."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from ecluse.engine import Engine
from ecluse.errors import Conflict, WarehouseError
from ecluse.store import Database
from ecluse.warehouse import Warehouse
from tests.warehouse.conftest import House

NOW, DAY = timedelta(0), timedelta(days=1)


def made(house, count, **begin):
    return [house.published(f"SELECT {i}::BIGINT AS id, 'n' AS name", **begin) for i in range(count)]


@pytest.mark.parametrize("newest", [1, 2, 4, 9])
def test_the_newest_that_were_published_stay(house, newest):
    ids = made(house, 4)
    assert house.warehouse.expire("clean.t", (), NOW, newest=newest) == tuple(ids[: max(0, 4 - newest)])
    assert house.warehouse.snapshots("clean.t") == tuple(ids[-newest:])


def test_the_number_counts_states_that_were_published_and_no_candidates(house):
    first, second = made(house, 2)
    candidate = house.staged("SELECT 9::BIGINT AS id, 'n' AS name", partition="a")
    house.warehouse.release(candidate)
    assert house.warehouse.expire("clean.t", (), NOW, newest=2) == ()
    assert house.warehouse.expire("clean.t", (), NOW) == (first,)
    assert set(house.warehouse.snapshots("clean.t")) == {second, candidate.snapshot_id}


def test_a_version_ages_from_when_it_was_replaced_not_from_when_it_was_made(house):
    first, second, third = made(house, 3)
    catalog = house.warehouse._catalog

    def long_ago(draft):
        """The first version was made a hundred days ago, and replaced just now; so was the second, fifty days ago."""
        days = {first: 100, second: 50}
        log = draft.metadata.snapshot_log
        moments = {id: log[-1].timestamp_ms - days * 86_400_000 for id, days in days.items()}
        snapshots = [
            s.model_copy(update={"timestamp_ms": moments.get(s.snapshot_id, s.timestamp_ms)})
            for s in draft.metadata.snapshots
        ]
        entries = [e.model_copy(update={"timestamp_ms": moments.get(e.snapshot_id, e.timestamp_ms)}) for e in log]
        return draft.metadata.model_copy(update={"snapshots": snapshots, "snapshot_log": entries})

    real = catalog.open

    class Aged:
        def __call__(self, dataset, connection=None):
            table = real(dataset, connection)
            table.metadata = long_ago(type("Draft", (), {"metadata": table.metadata}))
            return table

    catalog.open = Aged()
    assert house.warehouse.expire("clean.t", (), 60 * DAY, dry_run=True) == ()
    assert house.warehouse.expire("clean.t", (), 40 * DAY, dry_run=True) == (first,)
    assert house.warehouse.expire("clean.t", (), NOW, dry_run=True) == (first, second)
    assert third == house.warehouse.head("clean.t")


def test_what_is_raised_in_the_transaction_leaves_everything_known(house):
    ids = made(house, 3)
    before = {path: path.read_bytes() for path in house.warehouse.root.rglob("*") if path.is_file()}

    def objects(_):
        raise Conflict("warehouse.busy", dataset="clean.t", tries=1)

    with pytest.raises(Conflict):
        house.warehouse.expire("clean.t", (), NOW, within=objects)
    assert house.warehouse.snapshots("clean.t") == tuple(ids)
    assert {path: path.read_bytes() for path in house.warehouse.root.rglob("*") if path.is_file()} == before


def test_a_tag_that_comes_while_it_forgets_keeps_its_version(house, monkeypatch):
    first, second, _ = made(house, 3)
    catalog = house.warehouse._catalog
    real = catalog.stage

    def meanwhile(draft):
        monkeypatch.undo()
        house.warehouse.tag("clean.t", "v1", first)
        return real(draft)

    monkeypatch.setattr(catalog, "stage", meanwhile)
    assert house.warehouse.expire("clean.t", (), NOW) == (second,)
    assert house.rows(snapshot=first) == [(0, "n")]


def test_a_dry_run_says_what_would_go_and_forgets_nothing(house):
    ids = made(house, 3)
    assert house.warehouse.expire("clean.t", (), NOW, dry_run=True) == tuple(ids[:2])
    assert house.warehouse.snapshots("clean.t") == tuple(ids)


def test_what_was_forgotten_is_said_so_and_never_read_as_empty(house):
    first, _ = made(house, 2)
    house.warehouse.expire("clean.t", (), NOW)
    for read in (house.warehouse.scan, house.warehouse.files, house.warehouse.columns):
        with pytest.raises(WarehouseError) as caught:
            read("clean.t", first)
        assert caught.value.key == "warehouse.no_snapshot"


def test_a_server_forgets_versions_while_others_publish(tmp_path, postgresql_url):
    """Neither waits for the other for ever, and each publication is there until it may go."""
    houses = []
    for _ in range(2):
        database = Database(postgresql_url)
        houses.append(House(tmp_path, Engine(threads=1), database, Warehouse(tmp_path / "warehouse", database)))
    publishing, forgetting = houses
    ids, forgotten = made(publishing, 1), []
    writer = threading.Thread(target=lambda: ids.extend(made(publishing, 12)))
    writer.start()
    while writer.is_alive():
        forgotten += forgetting.warehouse.expire("clean.t", (), NOW, newest=2)
    forgotten += forgetting.warehouse.expire("clean.t", (), NOW, newest=2)
    assert (len(ids), forgotten) == (13, ids[:11])
    assert forgetting.warehouse.snapshots("clean.t") == tuple(ids[11:])
    assert forgetting.rows() == [(11, "n")]
    for house in houses:
        house.engine.close()
        house.database.close()
