"""One run at a time per partition; what is abandoned is cleaned up, and never what was published."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ecluse.errors import Conflict
from ecluse.store.schema import leases
from ecluse.warehouse.leases import held
from ecluse.warehouse.process import this_process

ONE = "SELECT 1::BIGINT AS id, 'n1' AS name"
TWO = "SELECT 2::BIGINT AS id, 'n2' AS name"
NOW = timedelta(0)


def test_another_run_waits_for_a_live_lease(house):
    house.begin(partition="a", run="first")
    with pytest.raises(Conflict) as caught:
        house.begin(partition="a", run="second")
    assert caught.value.key == "warehouse.leased"
    assert "first" in str(caught.value)
    assert [b.branch for b in house.warehouse.candidates()] == ["clean.t/a/first/1"]


def test_partitions_and_datasets_do_not_wait_for_each_other(house):
    house.begin(partition="a")
    house.begin(partition="b")
    house.begin(dataset="clean.u", partition="a")
    assert {b.lease for b in house.warehouse.candidates()} == {"live"}


def test_a_new_attempt_of_the_same_run_takes_over(house):
    first = house.staged(ONE, run="r", attempt=1)
    second = house.begin(run="r", attempt=2)
    assert [b.branch for b in house.warehouse.candidates()] == [second.branch]
    assert house.data_files() == set()
    for use in (
        lambda: house.warehouse.write(house.engine, first, ONE, "replace"),
        lambda: house.warehouse.prepare([first]),
        lambda: house.warehouse.release(first),
        lambda: house.warehouse.rebase(first),
    ):
        with pytest.raises(Conflict) as caught:
            use()
        assert caught.value.key == "warehouse.lease_lost"


def test_the_same_attempt_begun_again_starts_empty(house):
    house.staged(ONE, run="r")
    again = house.begin(run="r")
    assert house.rows(snapshot=again.base) == []
    assert house.data_files() == set()
    house.publish(house.warehouse.write(house.engine, again, TWO, "replace"))
    assert house.rows() == [(2, "n2")]


def test_an_expired_lease_hinders_nobody(make_house):
    house = make_house(lease=NOW)
    house.begin(run="dead")
    house.published(ONE, run="alive")
    assert [(b.holder, b.lease) for b in house.warehouse.candidates()] == [("dead", "expired")]


def test_renewing_keeps_a_lease_alive(make_house):
    house = make_house(lease=NOW)
    candidate = house.begin()
    house.warehouse._branches.renew(candidate, timedelta(minutes=1))
    assert [b.lease for b in house.warehouse.candidates()] == ["live"]
    assert house.warehouse.clean_expired() == []


def test_cleaning_deletes_expired_candidates_with_their_files_only(make_house):
    house = make_house(lease=timedelta(minutes=1))
    house.published(ONE, partition="a")
    published = house.data_files()
    dead = house.staged(TWO, partition="b")
    house.warehouse.release(dead)
    live = house.staged(TWO, partition="c")
    assert house.warehouse.clean_expired(grace=timedelta(hours=1)) == []
    assert house.warehouse.clean_expired() == [dead.branch]
    assert house.data_files() == published | {f.path for f in live.files}
    house.publish(house.warehouse.rebase(live))
    assert house.rows() == [(1, "n1"), (2, "n2")]


def test_a_released_candidate_stays_for_inspection_and_lets_others_begin(house):
    blocked = house.staged(ONE, run="blocked")
    house.warehouse.release(blocked)
    house.published(TWO, run="next")
    assert house.rows() == [(2, "n2")]
    assert house.rows(snapshot=blocked.snapshot_id) == [(1, "n1")]


def test_a_cleaned_candidate_cannot_be_published(make_house):
    house = make_house(lease=NOW)
    late = house.staged(ONE)
    prepared = house.warehouse.prepare([late])
    house.warehouse.clean_expired()
    with pytest.raises(Conflict) as caught, house.database.transaction() as connection:
        prepared.apply(connection)
    assert caught.value.key == "warehouse.lease_lost"
    assert house.warehouse.head("clean.t") is None


def test_discarding_leaves_no_file_and_can_be_repeated(house):
    house.published(ONE)
    metadata = set(house.warehouse.root.rglob("*.avro"))
    before = house.data_files()
    candidate = house.staged(TWO)
    house.warehouse.discard(candidate)
    house.warehouse.discard(candidate)
    assert house.warehouse.candidates() == []
    assert house.data_files() == before
    assert set(house.warehouse.root.rglob("*.avro")) == metadata
    assert house.rows() == [(1, "n1")]


@pytest.mark.parametrize("rolled_back", [False, True])
def test_discarding_after_publication_touches_nothing(house, rolled_back):
    first = house.published(ONE)
    candidate = house.staged(TWO)
    house.publish(candidate)
    if rolled_back:
        house.warehouse.rollback("clean.t", first)
    house.warehouse.discard(candidate)
    assert house.rows(snapshot=candidate.snapshot_id) == [(2, "n2")]


def test_a_candidate_begun_on_a_snapshot_that_is_rolled_back_does_not_delete_it(house):
    first, second = house.published(ONE), house.published(TWO)
    begun = house.begin()
    house.warehouse.rollback("clean.t", first)
    house.warehouse.discard(begun)
    assert house.rows(snapshot=second) == [(2, "n2")]


def killed(root, lines):
    """Run lines that work on a warehouse in a process, and kill it after them."""
    code = KILLED.format(url=f"sqlite:///{root.parent / 'ecluse.db'}", root=str(root / "warehouse"), lines=lines)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL, env=environment) as process:
        assert process.wait() == -signal.SIGKILL


KILLED = """
import os, signal
from pathlib import Path
from ecluse.engine import Engine
from ecluse.store import Database
from ecluse.warehouse import Warehouse

warehouse = Warehouse(Path({root!r}), Database({url!r}))
def staged(run, partition, dataset="clean.t"):
    found = warehouse.begin(dataset, {{"id": "BIGINT", "name": "VARCHAR"}}, partition=partition, run_id=run, attempt=1)
    return warehouse.write(Engine(threads=1), found, "SELECT 7::BIGINT AS id, 'n7' AS name", "replace")
{lines}
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_was_killed_here_holds_nothing_and_the_next_one_cleans_up(house):
    house.published(ONE, partition="a", run="before")
    published = house.data_files()
    killed(house.root, "staged('dead', 'a'), staged('dead', 'a', 'clean.t__quarantine'), staged('gone', 'b')")
    assert {b.lease for b in house.warehouse.candidates()} == {"expired"}
    begun = house.begin(partition="c", run="alive")
    assert [b.branch for b in house.warehouse.candidates()] == [begun.branch]
    assert house.data_files() == published
    assert house.rows() == [(1, "n1")]


def test_what_a_killed_run_gave_back_before_stays_for_inspection(house):
    killed(house.root, "warehouse.release(staged('blocked', 'a'))")
    begun = house.begin(partition="a", run="alive")
    assert [b.holder for b in house.warehouse.candidates()] == ["alive", "blocked"]
    assert house.warehouse.clean_expired() == ["clean.t/a/blocked/1"]
    assert [b.branch for b in house.warehouse.candidates()] == [begun.branch]


@pytest.mark.parametrize(
    "elsewhere",
    [{"place": "another machine"}, {"pid": 1, "place": "another container"}, {"place": None}],
    ids=["another machine", "another container", "a system that doesn't say"],
)
def test_a_process_that_can_not_be_seen_from_here_is_taken_for_alive(house, elsewhere):
    killed(house.root, "staged('far', 'a')")
    with house.database.transaction() as connection:
        connection.execute(update(leases).values(**elsewhere))
    assert {b.lease for b in house.warehouse.candidates()} == {"live"}
    assert house.warehouse.clean_expired() == []
    with pytest.raises(Conflict) as caught:
        house.begin(partition="a", run="second")
    assert caught.value.key == "warehouse.leased"


def test_a_process_id_that_came_back_is_another_process(house):
    house.begin(partition="a", run="first")
    with house.database.transaction() as connection:
        connection.execute(update(leases).values(started=leases.c.started - 1))
    assert {b.lease for b in house.warehouse.candidates()} == {"expired"}
    assert house.begin(partition="a", run="second").run_id == "second"


def test_a_process_that_its_parent_has_not_asked_for_is_dead():
    child = os.fork()
    if child == 0:
        signal.pause()
    seen = replace(this_process(), pid=child, started=int(Path(f"/proc/{child}/stat").read_text().split()[21]))
    assert not seen.dead()
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert seen.dead()
    os.waitpid(child, 0)
    assert seen.dead()


def test_a_lease_that_is_taken_over_while_it_is_cleaned_stays(make_house):
    house = make_house(lease=NOW)
    house.begin(run="slow")
    branches = house.warehouse._branches
    with house.database.reading() as connection:
        (seen,) = held(connection)
    branches.hold("slow")
    assert not branches.drop("clean.t", seen.branch, seen=seen)
    assert [b.holder for b in house.warehouse.candidates()] == ["slow"]
