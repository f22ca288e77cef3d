"""The hatch to unreleased data: closed unless a grant opens it, and never clear about people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecluse.gate import asks_unreleased, charter_of_hatch, found_personal, unreleased_verdict
from ecluse.model.charter import Grant, Rule, Training
from ecluse.model.release import DataFile, Manifest
from tests.gate.world import CHARTER, FILES, MANIFEST, PRODUCT, World, decision, key, publication, released, report

PUBLISHED = Manifest("unreleased", MANIFEST.products, (), "", "flights", "demo")
GRANT = Grant(
    "model-builder", ("products.*",), ("delay-prediction",), {"public": "clear", "personal": "clear"}, unreleased=True
)
TOGETHER = (DataFile(f"{PRODUCT}/c.parquet", "c" * 64, 100, 1000),)
ONCE_MORE = (DataFile(f"{PRODUCT}/d.parquet", "d" * 64, 100, 1000),)
HATCH = replace(CHARTER, grants=(*CHARTER.grants, GRANT))


def world(charter=HATCH, manifest=PUBLISHED, **asked):
    found = World.open(charter=charter)
    found.request = replace(found.request, release=manifest.digest, version="unreleased", phase="poc", **asked)
    return found


def judge(found, manifest=PUBLISHED):
    parties = {key(p.id): p.id for p in found.charter.parties}
    return unreleased_verdict(found.request, manifest, found.charter, found.facts, found.now, trust=parties)


def reasons(found, manifest=PUBLISHED):
    return [reason.key for reason in judge(found, manifest).reasons]


def test_a_grant_opens_it_without_approvals_and_criteria_and_says_so():
    bare = world().without("release").without("decision").without("evidence")
    verdict = judge(bare)
    assert verdict.opens
    assert "loaded_unreleased" in [w.key for w in verdict.warnings]
    assert verdict.approvals == ()


def test_without_such_a_grant_it_is_closed():
    assert reasons(world(charter=CHARTER)) == ["unreleased_not_allowed", "reader_without_grant"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"purpose": "surveillance"}, ["purpose_prohibited", "unreleased_not_allowed", "reader_without_grant"]),
        ({"reader": "guest"}, ["reader_without_grant"]),
        ({"reader": None}, ["reader_unknown"]),
        ({"environment": "prod"}, ["nothing_published"]),
    ],
)
def test_purpose_reader_and_place_count_as_ever(asked, expected):
    assert reasons(world(**asked)) == expected


def test_rules_and_trainings_count_as_ever():
    charter = replace(
        HATCH,
        rules=(Rule("care", 1, "handle with care"),),
        trainings=(Training("privacy", "what people may expect", ("model-builder",)),),
    )
    assert reasons(world(charter=charter)) == ["reader_untrained", "rule_unacknowledged"]


def test_a_file_that_nobody_may_have_published_is_refused():
    assert reasons(world().without("publication", dataset=PRODUCT)) == ["files_unpublished"]


def test_what_was_withdrawn_stays_closed():
    withdrawn = decision(HATCH, "ana", "data-valid", verdict="withdrawn")
    assert reasons(world().add(withdrawn)) == ["withdrawn"]


@pytest.mark.parametrize("withdrawn", [MANIFEST.products[0].files, TOGETHER], ids=["before", "after"])
@pytest.mark.parametrize("published", [MANIFEST.products[0].files, TOGETHER, ONCE_MORE], ids=["apart", "once", "twice"])
def test_what_was_withdrawn_stays_closed_in_whatever_files_its_rows_lie(withdrawn, published):
    before = replace(MANIFEST, version="2.0.0", products=(replace(MANIFEST.products[0], files=withdrawn),))
    now = replace(PUBLISHED, products=(replace(MANIFEST.products[0], files=published),))
    found = world(manifest=now)
    for made, parts in ((TOGETHER, FILES), (ONCE_MORE, TOGETHER)):
        named = [{"from": [{"sha256": f.sha256} for f in parts], "into": [{"sha256": f.sha256} for f in made]}]
        found.add(publication(files=made, update="compact", compacted=named))
    found.add(released(before))
    assert reasons(found, now) == []
    found.add(decision(HATCH, "ana", "data-valid", verdict="withdrawn", manifest=before))
    assert reasons(found, now) == ["withdrawn"]


def test_a_manifest_of_another_digest_is_none():
    other = replace(PUBLISHED, producer="somebody")
    assert reasons(world(), other) == ["nothing_published"]
    assert reasons(world(), None) == ["nothing_published"]


def test_columns_with_findings_are_known_whatever_their_contract_says():
    finding = {"column": "contact", "detector": "email", "tested": 2, "matched": 2, "hint": False}
    found = world().add(report(personal={"outcome": "broken", "findings": [finding]}))
    parties = {key(p.id): p.id for p in found.charter.parties}
    assert found_personal(PRODUCT, PUBLISHED, found.charter, found.facts, parties) == {"contact"}


def test_a_charter_with_a_phase_of_that_name_has_no_hatch():
    named = replace(CHARTER, phase="poc", phases=("poc", *CHARTER.phases[1:]), gates=(replace(CHARTER.gates[0], phase="poc"), *CHARTER.gates[1:]))  # fmt: skip
    assert asks_unreleased("poc", CHARTER)
    assert not asks_unreleased("poc", named)
    assert not asks_unreleased("proof", CHARTER)
    with pytest.raises(ValidationError, match="is a phase of this charter"):
        replace(named, grants=(GRANT,))


WAYS = st.sampled_from(["clear", "generalised", "pseudonym", "null", "drop"])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["public", "internal", "personal", "sensitive"]), WAYS), st.booleans())
def test_no_grant_shows_a_person_clearly_through_the_hatch(columns, unreleased):
    charter = replace(CHARTER, grants=(replace(GRANT, columns=columns, unreleased=unreleased),))
    found = charter_of_hatch(charter).grants
    assert len(found) == unreleased
    for grant in found:
        assert grant.columns.keys() == columns.keys()
        assert {grant.columns.get("personal"), grant.columns.get("sensitive")}.isdisjoint({"clear"})
        assert all(grant.columns[kind] == way for kind, way in columns.items() if way != "clear")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                decision(HATCH, "ana", "data-valid", verdict="withdrawn"),
                decision(HATCH, "bob", "results-valid", verdict="rejected"),
                report("broken"),
                publication(files=FILES[:1]),
            ]
        ),
        max_size=5,
    )
)
def test_more_bad_evidence_never_opens_it(bad):
    found = world()
    before = judge(found)
    for stated in bad:
        after = judge(found.add(stated))
        assert before.opens or not after.opens
        before = after
