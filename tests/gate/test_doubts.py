"""Charters that are valid and can't work: each oddity is named, and a sound charter has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ecluse import texts
from ecluse.charterfile import load_charter
from ecluse.gate import doubts
from ecluse.model.canonical import plain
from ecluse.model.charter import Approval, Charter, Gate, Grant, Kpi, Purpose, Risk, Rule, Training
from tests.gate.world import CHARTER, party

TODAY = date(2026, 3, 1)
SOUND = replace(
    CHARTER,
    purposes=tuple(p for p in CHARTER.purposes if p.id != "maintenance"),
    risks=(Risk("units", "units change", ("clean.flights:x",), "ana"),),
)
GRANT = SOUND.grants[0]


def keys(charter: Charter, day: date = TODAY) -> set[str]:
    return {doubt.key for doubt in doubts(charter, day)}


def gated(*approvals: Approval) -> Charter:
    return replace(SOUND, gates=(replace(SOUND.gates[0], approvals=approvals), *SOUND.gates[1:]))


def test_a_sound_charter_gives_no_doubt():
    assert doubts(SOUND, TODAY) == ()


def test_the_reference_charter_gives_no_doubt():
    assert doubts(load_charter(Path(__file__).parents[2] / "charter.yaml"), TODAY) == ()


@pytest.mark.parametrize(
    ("charter", "day", "key"),
    [
        (replace(SOUND, purposes=(*SOUND.purposes, Purpose("new", "new"))), TODAY, "purpose_without_grant"),
        (gated(Approval("data-valid", "data-steward", 3)), TODAY, "too_few_people"),
        (gated(Approval("data-valid", "lawyer")), TODAY, "too_few_people"),
        (
            gated(Approval("a", "sponsor"), Approval("b", "sponsor")),
            TODAY,
            "too_few_in_all",
        ),
        (replace(SOUND, parties=tuple(p for p in SOUND.parties if p.id != "pipeline")), TODAY, "nobody_attests"),
        (replace(SOUND, grants=(GRANT, replace(GRANT, role="lawyer"))), TODAY, "grant_to_nobody"),
        (replace(SOUND, grants=(GRANT, replace(GRANT, purposes=("other",)))), TODAY, "grant_for_unknown_purpose"),
        (replace(SOUND, grants=(GRANT, replace(GRANT, until=TODAY))), TODAY, "grant_is_over"),
        (replace(SOUND, kpis=(Kpi("auc", "AUC", 0.5, 0.7, date(2026, 2, 28)),)), TODAY, "kpi_overdue"),
        (replace(SOUND, risks=(Risk("r", "r", (), "ana"),)), TODAY, "risk_without_control"),
        (replace(SOUND, risks=(Risk("r", "r", ("a:b",), "zoe"),)), TODAY, "risk_without_owner"),
        (replace(SOUND, rules=(Rule("r", 1, "r", ("other",)),)), TODAY, "rule_for_unknown_purpose"),
        (replace(SOUND, trainings=(Training("t", "t", ("juggler",)),)), TODAY, "training_of_nobody"),
        (replace(SOUND, reviewed=date(2025, 6, 1)), TODAY, "review_overdue"),
    ],
)
def test_what_can_not_come_true_is_named_with_its_place_in_every_language(charter, day, key):
    found = [doubt for doubt in doubts(charter, day) if doubt.key == key]
    assert found
    for doubt in found:
        part = plain(charter)
        for step in doubt.place:
            part = part[step]
    assert all(doubt.text(lang) for doubt in found for lang in texts.LANGUAGES)


def test_who_publishes_the_data_does_not_count_among_who_may_approve_it():
    pipeline = party("pipeline", "auditor", attests=("run", "publication", "release", "evidence"))
    charter = replace(
        gated(Approval("data-valid", "auditor")),
        parties=tuple(pipeline if p.id == "pipeline" else p for p in SOUND.parties),
    )
    assert "too_few_people" in keys(charter)


def test_who_answers_for_what_publishes_does_not_count_either():
    answering = tuple(replace(p, responsible="ana") if p.id == "pipeline" else p for p in SOUND.parties)
    charter = replace(gated(Approval("data-valid", "data-steward", 2)), parties=answering)
    assert "too_few_people" in keys(charter)
    assert "too_few_people" not in keys(gated(Approval("data-valid", "data-steward", 2)))


def test_a_gate_that_asks_for_nobody_needs_nobody():
    assert doubts(replace(SOUND, gates=tuple(Gate(phase) for phase in SOUND.phases)), TODAY) == ()


def test_a_role_that_ended_fills_no_seat():
    ended = party("ana", roles=(replace(SOUND.party("ana").roles[0], until=TODAY),))
    charter = replace(SOUND, parties=tuple(ended if p.id == "ana" else p for p in SOUND.parties))
    one_more = replace(charter.gates[0], approvals=(Approval("data-valid", "data-steward", 2),))
    assert "too_few_people" in keys(replace(charter, gates=(one_more, *charter.gates[1:])))


def test_a_grant_that_reaches_somebody_later_reaches_nobody_today():
    early = replace(SOUND, grants=(Grant("model-builder", ("products.*",), ("delay-prediction",), {}),))
    assert keys(early, date(2025, 12, 31)) >= {"grant_to_nobody"}
    assert keys(early) == set()
