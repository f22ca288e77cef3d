"""What the charter asks of people and of releases in a row: rules, trainings, windows, scopes, reviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from ecluse import texts
from ecluse.gate import valid_grants
from ecluse.model.charter import CURRENT_SUITE, Criterion, Gate, Grant, Role, Rule, Trained, Training
from ecluse.model.facts import Subject
from tests.gate.world import CHARTER, FILES, MANIFEST, NOW, PRODUCT, World, decision, kpi, publication, released, report

RULE = Rule("no-single-people", 1, "Nobody looks at single people.", ("delay-prediction",))
COURSE = Training("data-ethics", "half a day", ("data-steward", "model-builder"), valid_days=365)


def world(**changes):
    return World.open(charter=replace(CHARTER, **changes))


def party(id, **changes):
    return tuple(replace(p, **changes) if p.id == id else p for p in CHARTER.parties)


def keys(found):
    for reason in (*found.reasons, *found.warnings):
        assert all(reason.text(lang) for lang in texts.LANGUAGES)
    return {reason.key for reason in found.reasons}


def acknowledged(who, rule=RULE, **changes):
    said = {"verdict": "acknowledged", "rule": rule.id, "version": rule.version}
    return "decision", who, {**said, "subjects": (Subject(f"rule:{rule.id}", rule.digest),), **changes}


# ---- rules


def test_a_rule_that_nobody_acknowledged_keeps_the_door_shut():
    found = world(rules=(RULE,))
    assert keys(found.judge()) == {"rule_unacknowledged"}
    assert found.add(acknowledged("model")).judge().opens


def test_who_answers_for_a_service_acknowledges_for_it():
    found = world(rules=(RULE,), parties=party("model", responsible="ana"))
    assert not found.judge().opens
    assert found.add(acknowledged("ana")).judge().opens


@pytest.mark.parametrize(
    "fact",
    [
        acknowledged("bob"),
        acknowledged("model", replace(RULE, version=2)),
        acknowledged("model", replace(RULE, text="Anything goes."), version=1),
        acknowledged("model", version="1"),
        acknowledged("model", verdict="approved"),
        acknowledged("model", subjects=()),
    ],
    ids=["somebody else", "another version", "another text", "a malformed version", "an approval", "no digest"],
)
def test_another_acknowledgement_is_none(fact):
    assert keys(world(rules=(RULE,)).add(fact).judge()) == {"rule_unacknowledged"}


def test_an_acknowledgement_in_another_environment_is_none_here():
    found = world(rules=(RULE,)).add(acknowledged("model"), environment="dev")
    assert keys(found.judge()) == {"rule_unacknowledged"}


def test_a_rule_for_another_purpose_binds_nobody_here():
    assert world(rules=(replace(RULE, purposes=("maintenance",)),)).judge().opens
    assert not world(rules=(replace(RULE, purposes=()),)).judge().opens


# ---- trainings


MONTH_AGO = NOW.date() - timedelta(days=30)


def trained(*ids, on=MONTH_AGO):
    return tuple(replace(p, trained=(Trained("data-ethics", on),)) if p.id in ids else p for p in CHARTER.parties)


def test_who_lacks_a_training_neither_approves_nor_reads():
    assert keys(world(trainings=(COURSE,)).judge()) == {"approval_missing", "approval_untrained", "reader_untrained"}
    assert keys(world(trainings=(COURSE,), parties=trained("ana")).judge()) == {"reader_untrained"}
    assert world(trainings=(COURSE,), parties=trained("ana", "model")).judge().opens


def test_who_lacks_a_training_waives_nothing():
    waiver = decision(CHARTER, "ana", "", verdict="waived", criterion="auc")
    assert "unmet_kpi" in keys(world(trainings=(COURSE,)).add(kpi(0.1)).add(waiver).judge())
    found = world(trainings=(COURSE,), parties=trained("ana", "model")).add(kpi(0.1)).add(waiver).judge()
    assert found.opens


def test_a_training_runs_out():
    old = NOW.date() - timedelta(days=365)
    assert "reader_untrained" in keys(world(trainings=(COURSE,), parties=trained("ana", "model", on=old)).judge())
    assert world(trainings=(COURSE,), parties=trained("ana", "model", on=old + timedelta(days=11))).judge().opens


def test_a_role_that_asks_for_no_training_is_not_held_up():
    assert world(trainings=(replace(COURSE, roles=("sponsor",)),)).judge().opens


def test_a_grant_of_a_role_without_its_training_adds_nothing_to_that_of_another():
    course = replace(COURSE, roles=("data-steward",))
    wide = Grant("data-steward", ("products.*",), ("delay-prediction",), {"public": "clear", "personal": "clear"})
    held = {"grants": (*CHARTER.grants, wide), "trainings": (course,)}

    def granted(*trained_on):
        both = (Role("model-builder", date(2026, 1, 1)), Role("data-steward", date(2026, 1, 1)))
        done = tuple(Trained("data-ethics", day) for day in trained_on)
        charter = replace(CHARTER, parties=party("model", roles=both, trained=done), **held)
        return valid_grants(charter, "model", PRODUCT, "delay-prediction", NOW.date())

    assert granted() == CHARTER.grants
    assert granted(MONTH_AGO) == (*CHARTER.grants, wide)


def test_a_charter_names_only_trainings_and_people_that_it_knows():
    with pytest.raises(ValueError, match="not one of the charter's trainings"):
        replace(CHARTER, parties=party("ana", trained=(Trained("juggling", date(2026, 1, 1)),)))
    with pytest.raises(ValueError, match="“zoe” is not one of the charter's parties"):
        replace(CHARTER, parties=party("model", responsible="zoe"))


# ---- several releases in a row, and parts of one


def window(count, measure="kpi.auc", operator=">=", value=0.65):
    criterion = Criterion("window", measure, operator, value, releases=count)
    gate = replace(CHARTER.gates[0], criteria=(criterion,))
    return replace(CHARTER, gates=(gate, *CHARTER.gates[1:]))


def history(*scores, count=3):
    """So many releases, the last of which is asked for, each with its score."""
    charter = window(count)
    found = World(charter=charter)
    found.add(publication("clean.flights", ())).add(publication()).add(report())
    for number, score in enumerate(scores, 1):
        manifest = replace(MANIFEST, version=f"1.0.{number}")
        found.add(released(manifest))
        if score is not None:
            found.add(kpi(score, manifest=manifest))
    found.request = replace(found.request, version=manifest.version, release=manifest.digest)
    return found.add(decision(charter, "ana", "data-valid", manifest=manifest)).add(
        decision(charter, "bob", "results-valid", manifest=manifest)
    )


@pytest.mark.parametrize(
    ("scores", "opens"),
    [
        ((0.7, 0.7, 0.7), True),
        ((0.1, 0.7, 0.7, 0.7), True),
        ((0.7, 0.1, 0.7), False),
        ((0.7, None, 0.7), False),
        ((0.7, 0.7), False),
        ((0.7, 0.7, 0.1), False),
    ],
)
def test_a_criterion_of_three_releases_looks_at_the_two_before(scores, opens):
    found = history(*scores).judge()
    assert found.opens is opens, [r.text() for r in found.reasons]
    keys(found)


def test_the_release_that_broke_the_row_is_named():
    reasons = history(0.7, 0.1, 0.7).judge().reasons
    assert [r.fields["version"] for r in reasons if r.key == "earlier_release"] == ["1.0.2"]
    assert [r.fields for r in history(0.7, 0.7).judge().reasons if r.key == "releases_too_few"] == [
        {"have": 2, "need": 3}
    ]


def test_the_same_release_stated_twice_is_one():
    found = history(0.7, 0.7)
    found.add(released(replace(MANIFEST, version="1.0.1")))
    assert not found.judge().opens


def test_a_criterion_of_some_datasets_asks_nothing_of_the_others():
    fresh = Criterion("fresh", "freshness.broken", "==", 0)

    def judged(*datasets):
        criterion = replace(fresh, datasets=datasets)
        gate = replace(CHARTER.gates[0], criteria=(criterion,))
        charter = replace(CHARTER, gates=(gate, *CHARTER.gates[1:]))
        found = World(charter=charter)
        unknown = report(checks=[{"name": "a", "outcome": "held", "severity": "critical", "scope": "batch"}])
        for stated in (publication("clean.flights", ()), publication(files=FILES), unknown, released()):
            found.add(stated)
        for who, question in (("ana", "data-valid"), ("bob", "results-valid")):
            found.add(decision(charter, who, question))
        return found.judge()

    assert "freshness_unchecked" in keys(judged(PRODUCT))
    assert "freshness_unchecked" in keys(judged("products.*"))
    assert judged("clean.*").opens


@pytest.mark.parametrize("pattern", ["products.dealys", "product.*"])
@pytest.mark.parametrize("releases", [1, 2])
def test_a_criterion_of_a_dataset_that_nobody_published_is_not_computed(pattern, releases):
    """A name that was misspelt doesn't let through what the right one would have stopped."""
    misspelt = Criterion("held-back", "quarantine.share", "<=", 0.1, datasets=(PRODUCT, pattern), releases=releases)
    gates = (replace(CHARTER.gates[0], criteria=(misspelt,)), *CHARTER.gates[1:])
    found = world(gates=gates).judge()
    assert [r.fields["scope"] for r in found.reasons if r.key == "scope_unpublished"] == [pattern]
    assert keys(found) == {"not_computed_quarantine_share", "scope_unpublished"}


@pytest.mark.parametrize("pattern", ["products.coming", "products.c*"])
def test_a_criterion_of_a_dataset_is_computed_once_somebody_who_may_has_published_it_here(pattern):
    asked = Criterion("held-back", "quarantine.share", "<=", 0.1, datasets=(pattern,))
    gates = (replace(CHARTER.gates[0], criteria=(asked,)), *CHARTER.gates[1:])
    kind, _, stated = publication("products.coming", ())
    assert not world(gates=gates).add((kind, "ana", stated)).judge().opens
    assert not world(gates=gates).add((kind, "pipeline", stated), environment="dev").judge().opens
    assert world(gates=gates).add((kind, "pipeline", stated)).judge().opens


@pytest.mark.parametrize("pattern", ["raw.flights", "raw.*"])
def test_a_dataset_is_known_of_which_a_release_was_made_before_it_was_promoted(pattern):
    asked = Criterion("licensed", "sources.unlicensed", "==", 0, datasets=(pattern,))
    gates = (replace(CHARTER.gates[0], criteria=(asked,)), *CHARTER.gates[1:])
    kind, who, stated = released()
    promoted = kind, who, {**stated, "promoted_from": {"inputs": ["raw.airports", "raw.flights"]}}
    assert world(gates=gates).add(promoted).judge().opens
    assert not world(gates=gates).add(promoted, environment="dev").judge().opens
    for other in (None, [], {"inputs": "raw.flights"}, {"inputs": [7]}, {"inputs": ["products.raw"]}):
        assert not world(gates=gates).add((kind, who, {**stated, "promoted_from": other})).judge().opens


@pytest.mark.parametrize("field", ["purposes", "grants"])
def test_a_dataset_that_is_still_to_come_is_known_by_what_the_charter_says_of_its_use(field):
    asked = Criterion("held-back", "quarantine.share", "<=", 0.1, datasets=("products.coming",))
    gates = (replace(CHARTER.gates[0], criteria=(asked,)), *CHARTER.gates[1:])
    first, *others = getattr(CHARTER, field)
    used = (replace(first, datasets=(*first.datasets, "products.coming")), *others)
    assert world(gates=gates, **{field: used}).judge().opens


# ---- review


def test_an_overdue_review_shows_and_closes_nothing():
    due = world(reviewed=NOW.date() - timedelta(days=180)).judge()
    assert due.opens
    assert [w.key for w in due.warnings] == ["review_overdue"]
    keys(due)
    assert world(reviewed=NOW.date() - timedelta(days=179)).judge().warnings == ()


# ---- limits of autonomy


def autonomous(purpose, gate):
    purposes = (replace(CHARTER.purposes[0], autonomy=purpose), *CHARTER.purposes[1:])
    return world(purposes=purposes, gates=(replace(CHARTER.gates[0], autonomy=gate), *CHARTER.gates[1:]))


@pytest.mark.parametrize(
    ("purpose", "gate", "opens"),
    [
        ("informs", "informs", True),
        ("proposes", "informs", False),
        ("acts", "informs", False),
        ("acts", "proposes", False),
        ("proposes", "acts", True),
        ("acts", "acts", True),
    ],
)
def test_software_does_no_more_than_the_phase_allows(purpose, gate, opens):
    found = autonomous(purpose, gate).judge()
    assert keys(found) == (set() if opens else {"autonomy_exceeded"})


def test_more_autonomy_voids_what_was_approved_without_it():
    given = autonomous("informs", "acts")
    given.charter = autonomous("acts", "acts").charter
    assert "approval_old_gate" in given.reasons()


# ---- suite: current


CURRENT = replace(CHARTER, gates=tuple(Gate(g.phase, approvals=g.approvals, suite="current") for g in CHARTER.gates))


@pytest.mark.parametrize(
    "since",
    [publication(files=(), suite_digest="s2"), report("broken", files=(), suite_digest="s2", on="candidate")],
    ids=["newer data", "a blocked run"],
)
def test_a_release_under_a_suite_that_has_changed_since_is_refused_until_it_is_checked_again(since):
    found = World.open(charter=CURRENT)
    assert found.judge().opens
    assert keys(found.add(since).judge()) == {"unmet_suite_stale", "suite_stale"}
    found.add(report(suite_digest="s2", files=FILES[:1]))
    assert keys(found.judge()) == {"unmet_suite_stale", "suite_stale"}
    assert found.add(report(suite_digest="s2")).judge().opens


def test_without_it_a_pass_of_an_older_suite_counts():
    gates = tuple(Gate(gate.phase, approvals=gate.approvals) for gate in CHARTER.gates)
    found = world(gates=gates)
    assert found.add(publication(files=(), suite_digest="s2")).judge().opens


def test_a_release_of_which_a_file_was_never_checked_has_no_current_suite():
    found = World.open(charter=CURRENT).without("evidence", about="check-report")
    assert "not_computed_suite_stale" in keys(found.add(report(files=FILES[:1])).judge())


def test_it_is_a_criterion_like_any_other_and_said_once():
    gate = Gate("proof", suite="current")
    assert gate.criteria == (CURRENT_SUITE,)
    assert replace(gate, approvals=()).criteria == (CURRENT_SUITE,)
    with pytest.raises(ValidationError, match="another one"):
        Gate("proof", criteria=(Criterion("suite", "checks.broken", "==", 0),), suite="current")
    with pytest.raises(ValidationError, match="current"):
        Gate("proof", suite="newest")


# ---- what every gate asks


@pytest.mark.parametrize("datasets", [("products.other",), ("products.o*",)])
@pytest.mark.parametrize("measure", ["checks.broken", "personal.unclassified"])
def test_a_criterion_of_some_datasets_leaves_the_others_to_what_every_gate_asks(measure, datasets):
    """A criterion about another dataset opens nothing that would be shut without it."""
    loose = Criterion("loose", measure, "<=", 99, datasets=datasets)
    gates = (replace(CHARTER.gates[0], criteria=(loose,)), *CHARTER.gates[1:])
    found = {"outcome": "broken", "findings": [{"column": "mail", "detector": "email", "tested": 9, "matched": 9}]}
    bad = report("broken") if measure == "checks.broken" else report(personal=found)
    other = publication("products.other", ())
    assert world(gates=gates).add(other).judge().opens
    assert not world(gates=gates).add(other).add(bad).judge().opens
    here = (replace(CHARTER.gates[0], criteria=(replace(loose, datasets=(PRODUCT,)),)), *CHARTER.gates[1:])
    assert world(gates=here).add(bad).judge().opens


def test_a_looser_criterion_of_some_datasets_loosens_no_criterion_of_the_whole_release():
    loose = Criterion("loose", "checks.broken", "<=", 99, datasets=(PRODUCT,))
    gate = replace(CHARTER.gates[0], criteria=(Criterion("checks", "checks.broken", "==", 0), loose))
    found = world(gates=(gate, *CHARTER.gates[1:])).add(report("broken"))
    assert "unmet_checks_broken" in keys(found.judge())


def test_a_criterion_may_not_have_the_name_of_one_that_is_asked_beside_it():
    named = Criterion("checks", "checks.broken", "<=", 99, datasets=("products.other",))
    with pytest.raises(ValidationError, match="is the criterion that every gate has"):
        replace(CHARTER, gates=(replace(CHARTER.gates[0], criteria=(named,)), *CHARTER.gates[1:]))
