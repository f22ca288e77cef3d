"""update="history": every version of a row, from its time until the next one's, wherever in time a row arrives."""

from __future__ import annotations

import great_expectations.expectations as gxe
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.errors import BrokenData
from ecluse.step.state import Ending
from tests.step.updates import Dataset

COLUMNS = {
    "id": "BIGINT", "city": "VARCHAR", "note": "VARCHAR",
    "valid_from": "BIGINT", "valid_to": "BIGINT", "is_current": "BOOLEAN",
}  # fmt: skip
KEY = ("id", "valid_from")


@pytest.fixture
def homes(tmp_path):
    made = Dataset(tmp_path, COLUMNS, key=KEY, update="history", tracked=("city",))
    yield made
    made.close()


@pytest.fixture
def full(tmp_path):
    made = Dataset(tmp_path, COLUMNS, key=KEY, update="history", tracked=("city",), closes_missing=True)
    yield made
    made.close()


def versions(dataset):
    return sorted((id, since, until, city) for id, city, _, since, until, _ in dataset.published())


def test_a_change_closes_the_version_before_and_opens_one(homes):
    homes.give([(1, "Lyon", "a", 1), (2, "Brest", "b", 1)])
    result = homes.give([(1, "Paris", "c", 3), (3, "Nice", "d", 3)])
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert homes.published() == [
        (1, "Lyon", "a", 1, 3, False),
        (1, "Paris", "c", 3, None, True),
        (2, "Brest", "b", 1, None, True),
        (3, "Nice", "d", 3, None, True),
    ]
    a = result.accounting
    assert (a.previous, a.replaced, a.added, a.current, a.published) == (2, 1, 3, 4, 2)


def test_a_row_that_says_nothing_new_changes_nothing(homes):
    homes.give([(1, "Lyon", "a", 1)])
    before = homes.files()
    result = homes.give([(1, "Lyon", "another note", 5)])
    assert homes.published() == [(1, "Lyon", "a", 1, None, True)]
    assert homes.files() == before
    assert (result.accounting.unchanged, result.accounting.added) == (1, 0)


def test_a_late_row_takes_its_place_in_time(homes):
    homes.give([(1, "Lyon", "", 1), (1, "Paris", "", 5)])
    homes.give([(1, "Nice", "", 3)])
    homes.give([(1, "Brest", "", 0)])
    assert versions(homes) == [
        (1, 0, 1, "Brest"), (1, 1, 3, "Lyon"), (1, 3, 5, "Nice"), (1, 5, None, "Paris"),
    ]  # fmt: skip
    assert [current for *_, current in homes.published()] == [False, False, False, True]


def test_a_late_row_that_says_earlier_what_is_known_dates_the_version_back(homes):
    homes.give([(1, "Lyon", "", 1), (1, "Paris", "", 5)])
    homes.give([(1, "Paris", "", 3)])
    assert versions(homes) == [(1, 1, 3, "Lyon"), (1, 3, None, "Paris")]


def test_two_values_at_one_time_are_decided_by_the_values(homes):
    homes.give([(1, "Lyon", "", 1)])
    lost = homes.give([(1, "Brest", "", 1)])
    assert (versions(homes), lost.accounting.late) == ([(1, 1, None, "Lyon")], 1)
    homes.give([(1, "Paris", "", 1)])
    assert versions(homes) == [(1, 1, None, "Paris")]


def test_files_without_a_changed_version_stay_byte_for_byte(homes):
    homes.give([(1, "Lyon", "", 1)])
    first = homes.files()
    homes.give([(2, "Nice", "", 1)])
    second = {path: sha for path, sha in homes.files().items() if path not in first}
    homes.give([(1, "Paris", "", 2)])
    assert second.items() <= homes.files().items()
    assert not first.keys() & homes.files().keys()


def test_a_rerun_adds_nothing(homes):
    homes.give([(1, "Lyon", "", 1), (1, "Paris", "", 5)])
    before = homes.files()
    homes.give([(1, "Lyon", "", 1), (1, "Paris", "", 5)], force=True)
    homes.give([(1, "Lyon", "", 1)])
    assert homes.files() == before


def test_a_key_that_is_missing_from_a_full_snapshot_is_closed_at_its_time(full):
    full.give([(1, "Lyon", "", 1), (2, "Nice", "", 1)])
    result = full.give([(1, "Lyon", "", 4)])
    assert result.published, result.blocks
    assert versions(full) == [(1, 1, None, "Lyon"), (2, 1, 4, "Nice")]
    full.give([(1, "Lyon", "", 6), (2, "Nice", "", 6)])
    assert versions(full) == [(1, 1, None, "Lyon"), (2, 1, 4, "Nice"), (2, 6, None, "Nice")]


def test_without_the_declaration_a_missing_key_stays_open(homes):
    homes.give([(1, "Lyon", "", 1), (2, "Nice", "", 1)])
    homes.give([(1, "Paris", "", 4)])
    assert (2, 1, None, "Nice") in versions(homes)


def test_a_full_snapshot_that_is_older_than_one_that_changed_nothing_is_refused(full):
    full.give([(1, "Lyon", "", 1), (2, "Nice", "", 1)])
    full.give([(1, "Lyon", "", 9), (2, "Nice", "", 9)])
    with pytest.raises(BrokenData, match="older than the newest"):
        full.give([(1, "Lyon", "", 8)])
    assert versions(full) == [(1, 1, None, "Lyon"), (2, 1, None, "Nice")]


def test_an_empty_full_snapshot_is_refused(full):
    full.give([])
    full.give([(1, "Lyon", "", 1)])
    with pytest.raises(BrokenData, match="no row at all"):
        full.give([])


def test_a_quarantined_key_is_not_missing(tmp_path):
    real = gxe.ExpectColumnValuesToNotBeInSet(column="city", value_set=["nowhere"], severity="critical")
    quarantine = {"on_failure": "quarantine", "quarantine_at_most": 0.6}
    full = Dataset(
        tmp_path, COLUMNS, key=KEY, update="history", closes_missing=True, expectations=[real], contract=quarantine
    )
    full.give([(1, "Lyon", "", 1), (2, "Nice", "", 1), (3, "Pau", "", 1)])
    result = full.give([(1, "Lyon", "", 2), (2, "nowhere", "", 2)])
    assert result.published, result.blocks
    assert versions(full) == [(1, 1, None, "Lyon"), (2, 1, None, "Nice"), (3, 1, 2, "Pau")]
    full.close()


def test_a_query_that_gives_what_ecluse_keeps_is_refused(tmp_path):
    homes = Dataset(tmp_path, COLUMNS, key=KEY)
    with pytest.raises(BrokenData, match="valid_to, is_current"):
        homes.give([(1, "Lyon", "", 1, None, True)], update="history")
    homes.close()


# ---- against a plain model


def rebuilt(events):
    """The versions that follow from all that was observed of one key: ``(time, city or None for gone)``."""
    best = {}
    for time, city in events:
        best[time] = city if best.get(time) is None else max(best[time], city or "")
    found, last = [], None
    for time, city in sorted(best.items()):
        if city == last:
            continue
        if found and found[-1][1] is None:
            found[-1] = (found[-1][0], time, found[-1][2])
        if city is not None:
            found.append((time, None, city))
        last = city
    return found


def known(versions):
    """The events that versions tell of."""
    events = []
    for position, (since, until, city) in enumerate(versions):
        events.append((since, city))
        following = versions[position + 1][0] if position + 1 < len(versions) else None
        if until is not None and until != following:
            events.append((until, None))
    return events


def model(state, batch, *, closes=False):
    found = dict(state)
    rows = {}
    for id, city, _, time in batch:
        rows.setdefault(id, []).append((time, city))
    for id, events in rows.items():
        found[id] = rebuilt([*known(found.get(id, [])), *events])
    if closes and batch:
        until = max(time for *_, time in batch)
        for id in found.keys() - rows.keys():
            found[id] = rebuilt([*known(found[id]), (until, None)]) if found[id][-1][1] is None else found[id]
    return found


def flat(state):
    return sorted((id, *version) for id, versions in state.items() for version in versions)


rows = st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", "c"]), st.just(""), st.integers(0, 6))
many = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(data=st.data(), batches=st.lists(st.lists(rows, max_size=6), min_size=1, max_size=3))
def test_batches_in_any_order_and_again_follow_the_model(tmp_path_factory, data, batches):
    homes = Dataset(tmp_path_factory.mktemp("h"), COLUMNS, key=KEY, update="history", tracked=("city",))
    state = {}
    for batch in [*batches, data.draw(st.sampled_from(batches))]:
        state = model(state, batch)
        result = homes.give(batch)
        assert result.published, result.blocks
        assert versions(homes) == flat(state)
    homes.close()


@many
@given(data=st.data())
def test_rows_that_each_change_something_give_the_same_history_in_any_order(tmp_path_factory, data):
    wanted = data.draw(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 9)), min_size=1, max_size=8, unique=True))
    given_rows = [(id, f"city of {time}", "", time) for id, time in wanted]
    homes = Dataset(tmp_path_factory.mktemp("h"), COLUMNS, key=KEY, update="history", tracked=("city",))
    shuffled = data.draw(st.permutations(given_rows))
    middle = data.draw(st.integers(0, len(shuffled)))
    for batch in (shuffled[:middle], shuffled[middle:]):
        homes.give(batch)
    assert versions(homes) == flat(model({}, given_rows))
    homes.close()


@many
@given(snapshots=st.lists(st.dictionaries(st.integers(1, 3), st.sampled_from(["a", "b"]), min_size=1), max_size=3))
def test_full_snapshots_in_the_order_of_time_follow_the_model(tmp_path_factory, snapshots):
    full = Dataset(
        tmp_path_factory.mktemp("h"), COLUMNS, key=KEY, update="history", tracked=("city",), closes_missing=True
    )
    state = {}
    for time, snapshot in [*enumerate(snapshots), *list(enumerate(snapshots))[-1:]]:
        batch = [(id, city, "", time) for id, city in snapshot.items()]
        state = model(state, batch, closes=True)
        result = full.give(batch)
        assert result.published, result.blocks
        assert versions(full) == flat(state)
    full.close()
