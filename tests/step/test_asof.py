"""As of a time, a release or a snapshot: what was published then, as the log says."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from ecluse.errors import DefinitionError, NotComputed
from ecluse.step.asof import published_state
from ecluse.step.releases import create_release
from ecluse.step.rollback import rollback_release
from tests.step.chain import CLEAN, RAW, Chain


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop that published twice, released both, and went back to the first: its snapshots in that order."""
    chain = Chain(tmp_path_factory.mktemp("shop"))
    snapshots = []
    for rows, version in (("1,5,a\n", "1.0.0"), ("2,5,b\n", "2024-spring")):
        snapshots.append(chain.make(RAW, rows))
        manifest = create_release(chain.services, [RAW], version)
        chain.first = manifest if version == "1.0.0" else chain.first
    rollback_release(chain.services, chain.person("p-data"), chain.first, "the new rows are wrong")
    facts = [s.fact for s in chain.services.log.facts("publication")]
    yield chain.services, snapshots, [fact.at for fact in facts]
    chain.close()


def test_without_anything_it_is_what_stands_now_also_after_a_rollback(made):
    services, (first, _), times = made
    state = published_state(services, RAW)
    assert (state.snapshot_id, state.since, state.version) == (first, times[-1], None)
    assert state.snapshot_id == services.warehouse.head(RAW)


def test_a_time_means_what_main_was_at_that_moment(made):
    services, (first, second), times = made
    little = timedelta(microseconds=1)
    for moment, snapshot in (
        (times[0], first),
        (times[1] - little, first),
        (times[1], second),
        (times[2] - little, second),
        (times[2], first),
    ):
        assert published_state(services, RAW, moment.isoformat()).snapshot_id == snapshot


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_not(made):
    services, (_, second), times = made
    naive = times[1].astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    assert published_state(services, RAW, naive).snapshot_id == second
    eastern = (times[1].astimezone(UTC).replace(tzinfo=None) - timedelta(hours=1)).isoformat() + "-01:00"
    assert published_state(services, RAW, eastern).snapshot_id == second


def test_a_day_means_its_end_and_days_to_come_what_stands_now(made):
    services, (first, _), times = made
    today = times[-1].astimezone(UTC).date()
    for day in (today, today.replace(year=today.year + 1), date.max):
        assert published_state(services, RAW, day.isoformat()).snapshot_id == first
    assert published_state(services, RAW, "9999-12-31T23:59:59.999999").snapshot_id == first


def test_a_release_and_a_snapshot_are_found_by_name(made):
    services, snapshots, times = made
    for version, snapshot, since in zip(("1.0.0", "2024-spring"), snapshots, times, strict=False):
        state = published_state(services, RAW, version)
        assert (state.snapshot_id, state.version, state.since) == (snapshot, version, since)
        found = published_state(services, RAW, str(snapshot))
        assert (found.snapshot_id, found.version, found.since) == (snapshot, None, since)


@pytest.mark.parametrize(
    ("dataset", "as_of", "kind", "key"),
    [
        (RAW, "soon", DefinitionError, "step.as_of"),
        (RAW, "3.0.0", DefinitionError, "step.as_of"),
        (RAW, "2024-02-30", DefinitionError, "step.as_of"),
        (RAW, "", DefinitionError, "step.as_of"),
        (RAW, "12345678901234567", DefinitionError, "step.as_of_snapshot"),
        (RAW, "2001-01-01", NotComputed, "step.as_of_before"),
        (RAW, "0001-01-01T00:00+14:00", NotComputed, "step.as_of_before"),
        (CLEAN, None, NotComputed, "step.input_unpublished"),
    ],
)
def test_what_names_nothing_says_what_would(made, dataset, as_of, kind, key):
    services, _, _ = made
    with pytest.raises(kind) as caught:
        published_state(services, dataset, as_of)
    assert caught.value.key == key
