"""What in a valid charter can never come true, or no longer does: worth a look before a release waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from ecluse import texts
from ecluse.model.charter import AUTONOMY, Charter, Gate
from ecluse.model.coherence import Place

#: What a pipeline's key must be allowed to state before anything can be published and released.
_NEEDED = ("publication", "evidence", "release")


@dataclass(frozen=True)
class Doubt:
    """One oddity: ``key`` names its text under ``gate.doubts``, ``place`` is where it stands in the charter."""

    key: str
    place: Place
    fields: Mapping[str, str | int] = field(default_factory=dict)

    def text(self, lang: str | None = None) -> str:
        """The oddity in plain words."""
        return texts.fill(f"gate.doubts.{self.key}", self.fields, lang)


def doubts(charter: Charter, today: date) -> tuple[Doubt, ...]:
    """Everything odd about a charter on a day, in the order in which the charter says it."""
    return (
        *_purposes(charter),
        *(doubt for number, gate in enumerate(charter.gates) for doubt in _gate(charter, gate, number, today)),
        *_attesting(charter),
        *_grants(charter, today),
        *_kpis(charter, today),
        *_risks(charter),
        *_rules(charter),
        *_trainings(charter, today),
        *_review(charter, today),
    )


def _purposes(charter: Charter) -> Iterator[Doubt]:
    for number, purpose in enumerate(charter.purposes):
        place: Place = ("purposes", number)
        if purpose.allowed and not any(purpose.id in grant.purposes for grant in charter.grants):
            yield Doubt("purpose_without_grant", place, {"purpose": purpose.id})
        if purpose.allowed and not any(_least(purpose.autonomy, gate.autonomy) for gate in charter.gates):
            asked = {"purpose": purpose.id, "autonomy": purpose.autonomy}
            yield Doubt("purpose_too_autonomous", (*place, "autonomy"), asked)


def _least(asked: str, most: str) -> bool:
    return AUTONOMY.index(asked) <= AUTONOMY.index(most)


def _gate(charter: Charter, gate: Gate, number: int, today: date) -> Iterator[Doubt]:
    anybody: set[str] = set()
    # NOTE: who publishes the data can't approve it, nor who answers for what does.
    publishing = [party for party in charter.parties if "publication" in party.attests]
    made = {name for party in publishing for name in (party.id, party.responsible)}
    for n, approval in enumerate(gate.approvals):
        able = {
            party.id
            for party in charter.parties
            if party.id not in made and any(r.name == approval.role and r.held(today) for r in party.roles)
        }
        anybody |= able
        if len(able) < approval.count:
            asked = {"phase": gate.phase, "question": approval.question, "role": approval.role}
            place: Place = ("gates", number, "approvals", n, "role")
            yield Doubt("too_few_people", place, {**asked, "have": len(able), "need": approval.count})
    seats = sum(approval.count for approval in gate.approvals)
    if gate.standing_days and not gate.approvals:
        yield Doubt("standing_of_nobody", ("gates", number, "standing_days"), {"phase": gate.phase})
    if len(anybody) < seats:
        place = ("gates", number, "approvals")
        yield Doubt("too_few_in_all", place, {"phase": gate.phase, "have": len(anybody), "need": seats})


def _attesting(charter: Charter) -> Iterator[Doubt]:
    for kind in _NEEDED:
        if not any(kind in party.attests for party in charter.parties):
            yield Doubt("nobody_attests", ("parties",), {"kind": kind})


def _grants(charter: Charter, today: date) -> Iterator[Doubt]:
    known = {purpose.id for purpose in charter.purposes}
    for number, grant in enumerate(charter.grants):
        place: Place = ("grants", number)
        shown = {"role": grant.role, "datasets": ", ".join(grant.datasets)}
        if not _held(charter, grant.role, today):
            yield Doubt("grant_to_nobody", (*place, "role"), shown)
        if unknown := [p for p in grant.purposes if p not in known]:
            named = {**shown, "purposes": ", ".join(unknown)}
            yield Doubt("grant_for_unknown_purpose", (*place, "purposes"), named)
        if grant.until is not None and grant.until <= today:
            yield Doubt("grant_is_over", (*place, "until"), {**shown, "until": grant.until.isoformat()})


def _held(charter: Charter, role: str, today: date) -> bool:
    """Whether some party holds a role on a day."""
    return any(r.name == role and r.held(today) for party in charter.parties for r in party.roles)


def _kpis(charter: Charter, today: date) -> Iterator[Doubt]:
    for number, kpi in enumerate(charter.kpis):
        if kpi.by < today:
            late = {"kpi": kpi.id, "by": kpi.by.isoformat(), "target": str(kpi.target)}
            yield Doubt("kpi_overdue", ("kpis", number, "by"), late)


def _risks(charter: Charter) -> Iterator[Doubt]:
    parties = {party.id for party in charter.parties}
    for number, risk in enumerate(charter.risks):
        if not risk.controls:
            yield Doubt("risk_without_control", ("risks", number), {"risk": risk.id})
        if risk.owner not in parties:
            named = {"risk": risk.id, "owner": risk.owner or "–"}
            yield Doubt("risk_without_owner", ("risks", number, "owner"), named)


def _rules(charter: Charter) -> Iterator[Doubt]:
    known = {purpose.id for purpose in charter.purposes}
    for number, rule in enumerate(charter.rules):
        if unknown := [p for p in rule.purposes if p not in known]:
            named = {"rule": rule.id, "purposes": ", ".join(unknown)}
            yield Doubt("rule_for_unknown_purpose", ("rules", number, "purposes"), named)


def _trainings(charter: Charter, today: date) -> Iterator[Doubt]:
    for number, training in enumerate(charter.trainings):
        for n, role in enumerate(training.roles):
            if not _held(charter, role, today):
                place: Place = ("trainings", number, "roles", n)
                yield Doubt("training_of_nobody", place, {"training": training.id, "role": role})


def _review(charter: Charter, today: date) -> Iterator[Doubt]:
    if charter.review_due is not None and charter.review_due <= today:
        yield Doubt("review_overdue", ("reviewed",), {"due": charter.review_due.isoformat()})
