"""A column that holds personal data, and that nobody classified so, keeps a release closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.model.charter import Criterion
from tests.gate.world import CHARTER, FILES, World, report


def finding(**more):
    said = {"column": "contact", "detector": "email", "tested": 200, "matched": 150, "classification": "public"}
    return said | {"hint": False} | more


def found(*findings, outcome="broken", **more):
    return report(personal={"outcome": outcome, "findings": list(findings)}, **more)


def judged(*reports, charter=CHARTER):
    world = World.open(charter=charter).without("evidence", about="check-report")
    for told in reports:
        world.add(told)
    return [r for r in world.judge().reasons if "personal" in r.key]


def test_the_reason_says_which_column_which_kind_what_share_and_what_to_do():
    unmet, reason = judged(found(finding()))
    assert (unmet.key, reason.key) == ("unmet_personal_unclassified", "personal_found")
    english, french = reason.text("en"), reason.text("fr")
    for part in ("products.delays.contact", "e-mail addresses", "75 %", "200", "public", "reason=", "ecluse check"):
        assert part in english
    assert "e-mail" in french
    assert "75 %" in french


def test_what_several_reports_say_of_a_column_is_one_reason():
    reasons = judged(found(finding(), files=FILES[:1]), found(finding(matched=50), files=FILES[1:]))
    assert [r.key for r in reasons] == ["unmet_personal_unclassified", "personal_found"]
    assert reasons[1].fields["share"] == "50 %"
    assert len(reasons[1].facts) == 2


def test_a_newer_report_without_findings_opens_again():
    assert judged(found(finding()), found(outcome="held")) == []


def test_a_hint_closes_nothing():
    assert judged(found(finding(detector="name", hint=True), outcome="held")) == []


@pytest.mark.parametrize("nothing", [None, "held", [], 7])
def test_a_report_that_does_not_say_is_not_enough(nothing):
    reasons = judged(report(personal=nothing))
    assert [r.key for r in reasons] == ["not_computed_personal_unclassified", "personal_unsought"]


def test_what_could_not_be_computed_is_not_enough():
    reasons = judged(found(outcome="not_computed"))
    assert [r.key for r in reasons] == ["not_computed_personal_unclassified", "personal_not_computed"]


def test_a_detector_of_a_later_version_counts_under_its_own_name():
    assert "passport" in judged(found(finding(detector="passport")))[1].text("fr")


@pytest.mark.parametrize("odd", [7, {"column": 7}, {"tested": "many", "matched": None}, {}])
def test_a_malformed_finding_never_opens_a_door(odd):
    reasons = judged(found(odd)) if isinstance(odd, dict) else judged(found(odd, finding()))
    assert reasons
    assert all(r.text() for r in reasons)


def test_a_charter_says_how_many_it_bears():
    gate = CHARTER.gates[0]
    bears = replace(gate, criteria=(*gate.criteria, Criterion("people", "personal.unclassified", "<=", 1)))
    charter = replace(CHARTER, gates=(bears, *CHARTER.gates[1:]))
    assert judged(found(finding()), charter=charter) == []
    assert judged(found(finding(), finding(column="other")), charter=charter)
