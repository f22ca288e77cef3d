"""Incidents: each is opened by a fact and closed by one, and none is anything but what the facts say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ecluse.gate import Book, incidents, newest_releases
from ecluse.model.charter import Kill
from ecluse.model.facts import Subject
from ecluse.model.release import DataFile
from tests.gate.world import (
    CHARTER,
    FILES,
    MANIFEST,
    PRODUCT,
    START,
    World,
    decision,
    key,
    kpi,
    publication,
    released,
    report,
)

SOURCE = "clean.flights"
OLD = DataFile(f"{SOURCE}/old.parquet", "c" * 64, 9, 90)
NEW = DataFile(f"{SOURCE}/new.parquet", "d" * 64, 9, 90)


def published(dataset=PRODUCT, files=FILES, **more):
    kind, who, stated = publication(dataset, files)
    named = [{"path": f.path, "sha256": f.sha256} for f in files]
    return kind, who, {**stated, "files": named, "owner": "data-steward", "update": "replace", "removed": [], **more}


def replaced():
    """A publication that takes the place of all of the product's files."""
    return published(files=(DataFile(f"{PRODUCT}/z.parquet", "e" * 64, 5, 50),), removed=[f.path for f in FILES])


def checked(*outcomes, files=FILES, scope="batch", severity="critical", who="pipeline", **more):
    checks = [
        {"name": f"c{n}", "outcome": outcome, "severity": severity, "scope": scope, "unexpected_count": 3}
        for n, outcome in enumerate(outcomes)
    ]
    kind, _, stated = report(files=files, checks=checks)
    return kind, who, {**stated, "outcome": outcomes[0], **more}


@pytest.fixture
def world():
    made = World()
    for stated in (published(SOURCE, (OLD,)), published(), checked("held", on="candidate"), released()):
        made.add(stated)
    return made


def book_of(world):
    parties = {key(p.id): p.id for p in world.charter.parties}
    return Book(world.charter, world.facts, parties, "flights", "demo")


def found(world, *besides):
    return incidents(world.charter, book_of(world), world.now, *besides)


def keys(world):
    return [one.reason.key for one in found(world)]


def after(world):
    """When the newest fact was signed."""
    return world.facts[-1].fact.at


def test_nothing_is_open_where_everything_holds(world):
    assert found(world) == ()


@pytest.mark.parametrize(
    ("outcome", "said"), [("broken", "check_broken_by_rows"), ("not_computed", "check_not_computed")]
)
def test_a_check_of_published_data_opens_one_and_the_next_that_holds_closes_it(world, outcome, said):
    world.add(checked(outcome))
    (one,) = found(world)
    assert (one.reason.key, one.dataset, one.reason.facts) == (said, PRODUCT, (len(world.facts) - 1,))
    assert one.people == ("ana", "cleo")
    assert [release.name for release in one.releases] == [f"{PRODUCT}@1.0.0"]
    assert one.touches(MANIFEST)
    world.add(checked("held"))
    assert found(world) == ()


def test_it_is_as_old_as_the_first_of_the_checks_that_found_it(world):
    world.add(checked("broken"))
    world.add(checked("held"))
    world.add(checked("broken"))
    first = after(world)
    world.add(checked("broken"))
    assert [one.since for one in found(world)] == [first]


def test_other_files_close_it(world):
    world.add(checked("broken"))
    world.add(replaced())
    assert found(world) == ()


def test_a_rollback_to_what_was_found_broken_opens_it_again(world):
    world.add(checked("broken")).add(replaced())
    assert found(world) == ()
    subjects = (Subject(f"{PRODUCT}@1.0.0", MANIFEST.digest),)
    world.add(published(files=(), subjects=subjects, update="rollback"))
    assert keys(world) == ["check_broken_by_rows"]


def test_what_only_warns_is_none(world):
    world.add(checked("broken", severity="warning", outcome="held"))
    assert found(world) == ()


def test_stale_data_is_one_until_a_check_says_that_it_is_fresh(world):
    world.add(checked("broken", scope="published"))
    first = after(world)
    world.add(checked("not_computed", scope="published"))
    (one,) = found(world)
    assert (one.reason.key, one.since) == ("freshness_not_held", first)
    # A publication alone doesn't say that its data is new.
    world.add(replaced())
    assert keys(world) == ["freshness_not_held"]
    world.add(checked("held", scope="published"))
    assert found(world) == ()


def test_personal_data_that_nobody_classified_is_one_until_a_check_finds_none(world):
    finding = {"column": "tail", "detector": "email", "matched": 9, "tested": 10, "classification": "public"}
    world.add(checked("held", personal={"outcome": "broken", "findings": [finding]}))
    (one,) = found(world)
    assert (one.reason.key, one.reason.fields["column"], one.since) == ("personal_found", "tail", after(world))
    world.add(checked("held"))
    assert found(world) == ()


def test_a_withdrawal_is_one_until_there_is_another_release(world):
    world.add(decision(world.charter, "bob", "", verdict="withdrawn", reason="the label leaks"))
    (one,) = found(world)
    assert (one.reason.key, one.dataset, one.since) == ("withdrawn", PRODUCT, after(world))
    assert one.touches(MANIFEST)
    world.add(released(replace(MANIFEST, version="1.0.1")))
    assert found(world) == ()


def test_the_withdrawal_of_what_no_reader_gets_is_none(world):
    world.add(released(replace(MANIFEST, version="2.0.0")))
    world.add(decision(world.charter, "bob", "", verdict="withdrawn"))
    assert found(world) == ()


def test_the_inbox_holds_the_latest_release_and_the_newest_patch_of_an_older_one(world):
    for version in ("2.0.0", "1.0.1", "1.0.2"):
        world.add(released(replace(MANIFEST, version=version)))
    assert [m.version for _, m in newest_releases(book_of(world))] == ["2.0.0", "1.0.2"]
    world.add(released(replace(MANIFEST, version="2.0.1")))
    assert [m.version for _, m in newest_releases(book_of(world))] == ["2.0.1"]


def test_what_stops_the_project_touches_every_release_until_a_better_observation(world):
    world.charter = replace(CHARTER, kill_criterion=Kill("hardly better than chance", "auc", "<", 0.6))
    world.add(kpi(0.51))
    (one,) = found(world)
    assert (one.reason.key, one.dataset, one.since) == ("killed", None, after(world))
    assert one.touches(replace(MANIFEST, version="9.9.9"))
    world.add(kpi(0.7))
    assert found(world) == ()


def test_what_a_release_was_made_from_touches_it(world):
    world.add(checked("broken", files=(OLD,), dataset=SOURCE))
    (one,) = found(world)
    assert (one.dataset, [release.name for release in one.releases]) == (SOURCE, [f"{PRODUCT}@1.0.0"])


def test_a_release_of_other_files_is_not_touched(world):
    later = replace(MANIFEST, version="2.0.0", inputs=(), products=(replace(MANIFEST.products[0], files=(NEW,)),))
    world.add(checked("broken"))
    (one,) = found(world, later)
    assert (one.touches(MANIFEST), one.touches(later)) == (True, False)


@pytest.mark.parametrize("changes", [{"who": "guest"}, {"who": "ana"}])
def test_who_may_not_attest_opens_and_closes_none(world, changes):
    assert found(world.add(checked("broken", **changes))) == ()
    world.add(checked("broken"))
    assert len(found(world.add(checked("held", **changes)))) == 1


def test_what_is_found_in_another_environment_is_none_here(world):
    world.add(checked("broken"), environment="staging")
    assert found(world) == ()


def test_the_oldest_stands_first(world):
    world.add(checked("broken"), at=START + timedelta(hours=9))
    world.add(checked("broken", files=(OLD,), dataset=SOURCE), at=START + timedelta(hours=5))
    assert [one.dataset for one in found(world)] == [SOURCE, PRODUCT]


@pytest.mark.parametrize("odd", [None, 7, "x", [7, None], [{"path": 7}], {"a": 1}])
def test_a_malformed_fact_is_a_fact_that_is_missing(world, odd):
    world.add(("publication", "pipeline", {"dataset": PRODUCT, "files": odd, "removed": odd}))
    world.add(("evidence", "pipeline", {"about": "check-report", "dataset": PRODUCT, "checks": odd, "personal": odd}))
    assert [one for one in found(world) if one.reason.key != "report_not_held"] == []
