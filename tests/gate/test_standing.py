"""Standing answers: which releases open by themselves, and which don't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.model.release import DataFile
from tests.gate.world import CHARTER, FILES, MANIFEST, PRODUCT, World, decision, kpi, publication, released, report

CHARTER_ = replace(CHARTER, gates=(replace(CHARTER.gates[0], standing_days=60), *CHARTER.gates[1:]))
UNTIL = "2026-04-01T00:00:00+00:00"
NEW = (*FILES, DataFile(f"{PRODUCT}/c.parquet", "c" * 64, 10, 100))


def patch(version="1.0.1", **product):
    return replace(MANIFEST, version=version, products=(replace(MANIFEST.products[0], **{"files": NEW, **product}),))


def world(manifest=None, *, charter=CHARTER_, standing=True, value=0.69, **more):
    """Release 1.0.0 with a standing yes of both, and a green release after it that nobody looked at."""
    manifest = manifest or patch()
    found = World.open(charter=charter).without("decision")
    for who, question in (("ana", "data-valid"), ("bob", "results-valid")):
        found.add(decision(charter, who, question, **{"standing": standing, "expires": UNTIL, **more}))
    found.add(publication(files=NEW)).add(report(files=NEW)).add(released(manifest)).add(kpi(value, manifest=manifest))
    return found.ask(release=manifest.digest, version=manifest.version)


def why(found):
    return [key for key in found.reasons() if key != "approval_missing"]


def test_a_green_patch_release_opens_by_itself():
    found = world().judge()
    assert found.opens, found.reasons
    assert len(found.approvals) == 2


def test_the_release_that_was_looked_at_opens_as_ever():
    assert world().ask(release=MANIFEST.digest, version="1.0.0").judge().opens


@pytest.mark.parametrize("standing", [False, None, 1, "yes"])
def test_without_a_standing_yes_each_release_needs_its_own(standing):
    assert why(world(standing=standing)) == ["approval_other_release"] * 2


def test_a_gate_that_allows_none_has_none():
    assert why(world(charter=CHARTER)) == ["approval_other_release"] * 2


@pytest.mark.parametrize(
    "manifest",
    [
        patch("1.1.0"),
        patch("2.0.1"),
        patch("0.9.9"),
        patch("1.0.0"),
        patch("spring"),
        patch("1.0.01"),
        patch(contract_digest="c2"),
        patch(suite_digest="s2"),
    ],
)
def test_more_than_new_data_is_looked_at_again(manifest):
    assert why(world(manifest)) == ["approval_standing_beyond"] * 2


def test_a_release_of_other_products_is_looked_at_again():
    manifest = patch(dataset="products.other")
    assert "approval_missing" in world(manifest).ask(dataset="products.other").reasons()


def test_a_release_that_meets_less_than_everything_waits_for_people():
    found = world(value=0.1)
    assert why(found) == ["unmet_kpi", *["approval_standing_unmet"] * 2]
    waiver = decision(CHARTER_, "ana", "", verdict="waived", criterion="auc", manifest=patch())
    assert why(found.add(waiver)) == ["approval_standing_unmet"] * 2


def test_it_holds_no_longer_than_the_charter_allows():
    assert why(world(expires="2026-05-01T00:00:00+00:00")) == ["approval_standing_long"] * 2


def test_it_ends_on_its_day():
    found = world()
    found.now = found.now.replace(month=4)
    assert why(found) == ["approval_expired"] * 2


@pytest.mark.parametrize("verdict", ["withdrawn", "rejected"])
def test_it_ends_with_the_release_that_was_looked_at(verdict):
    found = world().add(decision(CHARTER_, "guest", "", verdict=verdict))
    assert why(found) == ["approval_standing_stopped"] * 2


@pytest.mark.parametrize("verdict", ["withdrawn", "rejected"])
def test_it_ends_with_a_no_to_a_patch_that_it_opened_until_people_look_again(verdict):
    next_one = patch("1.0.2")
    found = world().add(released(next_one)).add(kpi(0.69, manifest=next_one))
    found.ask(release=next_one.digest, version="1.0.2")
    assert found.judge().opens
    found.add(decision(CHARTER_, "guest", "", verdict=verdict, manifest=patch()))
    assert why(found) == ["approval_standing_stopped"] * 2
    assert all("1.0.1" in r.text() for r in found.judge().reasons if r.key == "approval_standing_stopped")
    for who, question in (("ana", "data-valid"), ("bob", "results-valid")):
        found.add(decision(CHARTER_, who, question, standing=True, expires=UNTIL))
    assert found.judge().opens


def test_a_no_to_a_release_of_another_line_ends_nothing():
    other = patch("1.1.0")
    found = world().add(released(other)).add(decision(CHARTER_, "guest", "", verdict="withdrawn", manifest=other))
    assert found.judge().opens


def test_it_counts_for_no_patch_where_it_was_given_before_there_was_anything_to_see():
    assert why(world(seen=2)) == ["approval_too_early"] * 2


@pytest.mark.parametrize(("change", "key"), [({"gate_digest": "0" * 64}, "old_gate"), ({"phase": "?"}, "other_phase")])
def test_it_binds_its_gate_as_every_answer_does(change, key):
    assert why(world(**change)) == [f"approval_{key}"] * 2


def test_it_opens_nothing_in_another_environment():
    found = World.open(charter=CHARTER_).without("decision")
    for who, question in (("ana", "data-valid"), ("bob", "results-valid")):
        found.add(decision(CHARTER_, who, question, standing=True, expires=UNTIL), environment="prod")
    found.add(publication(files=NEW)).add(report(files=NEW)).add(released(patch())).add(kpi(0.69, manifest=patch()))
    assert why(found.ask(release=patch().digest, version="1.0.1")) == ["approval_elsewhere"] * 2
