"""What in a valid charter can never come true, or no longer does: worth a look before a release waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from ecluse import texts
from ecluse.model.charter import AUTONOMY, Charter, Gate

#: What a pipeline's key must be allowed to state before anything can be published and released.
_NEEDED = ("publication", "evidence", "release")


@dataclass(frozen=True)
class Doubt:
    """One oddity: ``key`` names its text under ``gate.doubts``."""

    key: str
    fields: dict[str, str | int] = field(default_factory=dict)

    def text(self, lang: str | None = None) -> str:
        """The oddity in plain words."""
        return texts.fill(f"gate.doubts.{self.key}", self.fields, lang)


def doubts(charter: Charter, today: date) -> tuple[Doubt, ...]:
    """Everything odd about a charter on a day, in the order in which the charter says it."""
    return (
        *_purposes(charter),
        *(doubt for gate in charter.gates for doubt in _gate(charter, gate, today)),
        *_attesting(charter),
        *_grants(charter, today),
        *_kpis(charter, today),
        *_risks(charter),
        *_rules(charter),
        *_review(charter, today),
    )


def _purposes(charter: Charter) -> Iterator[Doubt]:
    for purpose in charter.purposes:
        if purpose.allowed and not any(purpose.id in grant.purposes for grant in charter.grants):
            yield Doubt("purpose_without_grant", {"purpose": purpose.id})
        if purpose.allowed and not any(_least(purpose.autonomy, gate.autonomy) for gate in charter.gates):
            yield Doubt("purpose_too_autonomous", {"purpose": purpose.id, "autonomy": purpose.autonomy})


def _least(asked: str, most: str) -> bool:
    return AUTONOMY.index(asked) <= AUTONOMY.index(most)


def _gate(charter: Charter, gate: Gate, today: date) -> Iterator[Doubt]:
    anybody: set[str] = set()
    for approval in gate.approvals:
        # NOTE: who publishes the data can't approve it.
        able = {
            party.id
            for party in charter.parties
            if "publication" not in party.attests
            and any(r.name == approval.role and r.held(today) for r in party.roles)
        }
        anybody |= able
        if len(able) < approval.count:
            asked = {"phase": gate.phase, "question": approval.question, "role": approval.role}
            yield Doubt("too_few_people", {**asked, "have": len(able), "need": approval.count})
    seats = sum(approval.count for approval in gate.approvals)
    if gate.standing_days and not gate.approvals:
        yield Doubt("standing_of_nobody", {"phase": gate.phase})
    if len(anybody) < seats:
        yield Doubt("too_few_in_all", {"phase": gate.phase, "have": len(anybody), "need": seats})


def _attesting(charter: Charter) -> Iterator[Doubt]:
    for kind in _NEEDED:
        if not any(kind in party.attests for party in charter.parties):
            yield Doubt("nobody_attests", {"kind": kind})


def _grants(charter: Charter, today: date) -> Iterator[Doubt]:
    known = {purpose.id for purpose in charter.purposes}
    for grant in charter.grants:
        shown = {"role": grant.role, "datasets": ", ".join(grant.datasets)}
        if not any(r.name == grant.role and r.held(today) for party in charter.parties for r in party.roles):
            yield Doubt("grant_to_nobody", {**shown})
        if unknown := [p for p in grant.purposes if p not in known]:
            yield Doubt("grant_for_unknown_purpose", {**shown, "purposes": ", ".join(unknown)})
        if grant.until is not None and grant.until <= today:
            yield Doubt("grant_is_over", {**shown, "until": grant.until.isoformat()})


def _kpis(charter: Charter, today: date) -> Iterator[Doubt]:
    for kpi in charter.kpis:
        if kpi.by < today:
            yield Doubt("kpi_overdue", {"kpi": kpi.id, "by": kpi.by.isoformat(), "target": str(kpi.target)})


def _risks(charter: Charter) -> Iterator[Doubt]:
    parties = {party.id for party in charter.parties}
    for risk in charter.risks:
        if not risk.controls:
            yield Doubt("risk_without_control", {"risk": risk.id})
        if risk.owner not in parties:
            yield Doubt("risk_without_owner", {"risk": risk.id, "owner": risk.owner or "–"})


def _rules(charter: Charter) -> Iterator[Doubt]:
    known = {purpose.id for purpose in charter.purposes}
    for rule in charter.rules:
        if unknown := [p for p in rule.purposes if p not in known]:
            yield Doubt("rule_for_unknown_purpose", {"rule": rule.id, "purposes": ", ".join(unknown)})


def _review(charter: Charter, today: date) -> Iterator[Doubt]:
    if charter.review_due is not None and charter.review_due <= today:
        yield Doubt("review_overdue", {"due": charter.review_due.isoformat()})
