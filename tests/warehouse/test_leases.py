"""One run at a time per partition; what is abandoned is cleaned up, and never what was published."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ecluse.errors import Conflict

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
