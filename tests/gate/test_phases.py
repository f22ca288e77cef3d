"""Phases: none is skipped, and one that was passed stays passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.model.charter import Approval, Criterion, Gate, Purpose
from tests.gate.world import CHARTER, MANIFEST, World, decision, kpi, report

PROOF, BUSINESS = CHARTER.gates[0], Gate("business", (Criterion("quality", "checks.broken", "==", 0),))
OTHER = replace(MANIFEST, version="0.9.0")


def world(*gates, phase="business", **changes):
    """The world after its proof, asked for the next phase; only what was said of the proof is in the log."""
    named = {gate.phase: gate for gate in (*CHARTER.gates, BUSINESS, *gates)}
    charter = replace(CHARTER, phase=phase, gates=tuple(named.values()), **changes)
    return World.open(charter=charter).ask(phase=phase)


def test_a_phase_opens_after_the_one_before_was_passed():
    assert world().judge().opens


def test_a_phase_that_nobody_passed_can_not_be_skipped():
    assert world().without("decision").reasons() == ["phase_skipped"]
    assert world(phase="industrial").without("decision").reasons() == ["phase_skipped"]
    found = world(Gate("business", approvals=(Approval("results-valid", "business-owner"),)), phase="industrial")
    assert [(r.key, r.fields["skipped"]) for r in found.judge().reasons] == [("phase_skipped", "business")]


@pytest.mark.parametrize("who", ["ana", "bob"])
def test_everybody_whom_the_gate_asked_must_have_said_yes(who):
    question = {"ana": "data-valid", "bob": "results-valid"}[who]
    found = world().without("decision", question=question)
    assert found.reasons() == ["phase_skipped"]
    assert found.add(decision(found.charter, who, question)).judge().opens


@pytest.mark.parametrize(
    "answer",
    [
        {"who": "guest"},
        {"who": "stranger"},
        {"who": "bob"},
        {"phase": "business"},
        {"verdict": "rejected"},
        {"expires": None},
        {"subjects": ()},
        {"manifest": OTHER},
    ],
)
def test_what_is_no_yes_passes_no_phase(answer):
    found = world().without("decision", question="data-valid")
    found.add(decision(found.charter, **{"who": "ana", "question": "data-valid", **answer}))
    assert "phase_skipped" in found.reasons()


def test_a_yes_of_another_environment_passes_no_phase_here():
    found = world().without("decision", question="data-valid")
    found.add(decision(found.charter, "ana", "data-valid"), environment="prod")
    assert found.reasons() == ["phase_skipped"]


def test_who_made_the_release_passes_no_phase():
    steward = tuple(replace(p, roles=CHARTER.party("ana").roles) if p.id == "pipeline" else p for p in CHARTER.parties)
    found = world(parties=steward).without("decision", question="data-valid")
    found.add(decision(found.charter, "pipeline", "data-valid"))
    assert found.reasons() == ["phase_skipped"]


def test_the_criteria_must_have_been_met_when_the_last_of_them_said_yes():
    bad = world().without("evidence", about="kpi").without("decision")
    for who, question in (("ana", "data-valid"), ("bob", "results-valid")):
        bad.add(decision(bad.charter, who, question))
    # NOTE: what was measured afterwards doesn't make it good.
    assert bad.add(kpi(0.69)).reasons() == ["phase_skipped"]


def test_a_phase_that_was_passed_stays_passed_when_its_answers_expire_or_its_data_turns_bad():
    found = world()
    found.now = found.now.replace(year=2027)
    assert found.add(kpi(0.1)).judge().opens
    assert found.add(decision(found.charter, "bob", "", verdict="withdrawn")).reasons() == ["withdrawn"]
    assert found.add(report("broken", files=())).reasons() == ["withdrawn"]


def test_a_purpose_more_in_the_charter_undoes_no_phase():
    assert world(purposes=(*CHARTER.purposes, Purpose("care", "plan care"))).judge().opens


def test_a_gate_that_asks_for_more_than_then_is_to_be_passed_again():
    found = world(replace(PROOF, approvals=(*PROOF.approvals, Approval("scale", "sponsor"))))
    assert found.reasons() == ["phase_skipped"]
    assert found.add(decision(found.charter, "cleo", "scale")).judge().opens


def test_a_project_may_go_back_to_an_earlier_phase_at_any_time():
    assert world().ask(phase="proof").judge().opens
    assert world(phase="industrial").ask(phase="business").judge().opens
