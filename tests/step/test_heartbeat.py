"""A run that takes longer than a lease keeps what it works on, and holds nothing once it is over."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from ecluse.engine import Engine
from ecluse.step.heartbeat import heartbeat
from ecluse.store import Database
from ecluse.warehouse import Warehouse

LEASE = timedelta(seconds=0.3)


@pytest.fixture
def warehouse(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'project.db'}")
    yield Warehouse(tmp_path / "warehouse", database, lease=LEASE)
    database.close()


def begun(warehouse, run_id, partition):
    with Engine():
        return warehouse.begin("clean.orders", {"id": "BIGINT"}, partition=partition, run_id=run_id, attempt=1)


def leases(warehouse):
    return {branch.holder: branch for branch in warehouse.candidates()}


def beats(warehouse, holder, count):
    """Wait for the lease to be renewed so many times."""
    seen = {leases(warehouse)[holder].expires}
    for _ in range(2000):
        if len(seen) > count:
            return
        threading.Event().wait(0.01)
        seen.add(leases(warehouse)[holder].expires)
    pytest.fail("the lease was not renewed")


def test_a_lease_is_renewed_for_as_long_as_the_run_works(warehouse):
    begun(warehouse, "slow", "a")
    begun(warehouse, "dead", "b")
    first = leases(warehouse)
    with heartbeat(warehouse, "slow"):
        beats(warehouse, "slow", 5)
    after = leases(warehouse)
    assert after["slow"].expires - first["slow"].expires > LEASE
    assert after["dead"].expires == first["dead"].expires


def test_a_run_that_is_over_holds_nothing_any_more(warehouse):
    candidate = begun(warehouse, "done", None)
    with heartbeat(warehouse, "done"):
        beats(warehouse, "done", 1)
    warehouse.release(candidate)
    released = leases(warehouse)["done"].expires
    threading.Event().wait(LEASE.total_seconds())
    assert leases(warehouse)["done"].expires == released
    assert leases(warehouse)["done"].lease == "expired"


def test_a_database_that_is_away_for_a_moment_does_not_end_the_run(warehouse, monkeypatch):
    begun(warehouse, "slow", None)
    healthy, missed = type(warehouse).hold, []

    def hold(self, run_id):
        if len(missed) < 2:
            missed.append(run_id)
            with self._database.transaction() as connection:
                connection.exec_driver_sql("SELECT * FROM gone")
        return healthy(self, run_id)

    monkeypatch.setattr(type(warehouse), "hold", hold)
    with heartbeat(warehouse, "slow"):
        beats(warehouse, "slow", 2)
    assert len(missed) == 2
