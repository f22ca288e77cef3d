"""The approvals of a gate: who answered yes, which answers count, and why the others don't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecluse.gate.book import Book, Fields, Record, moment
from ecluse.gate.criteria import JudgedCriteria
from ecluse.gate.evidence import Evidence
from ecluse.gate.measures import measure
from ecluse.gate.releases import FoundRelease
from ecluse.model.charter import Approval, Charter, Criterion, Party
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request

#: Clocks of two machines may differ by this much before an answer counts as dated in the future.
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class JudgedApprovals:
    """Reasons of missing approvals, and the positions of the decisions that count."""

    reasons: tuple[Reason, ...]
    counted: tuple[int, ...]


@dataclass(frozen=True)
class _Answer:
    """One party's yes, with everything that speaks against counting it apart from the role."""

    record: Record
    party: Party | None
    objections: tuple[Reason, ...]

    @property
    def who(self) -> str:
        return self.party.id if self.party else f"?{self.record.position}"

    def holds(self, role: str) -> bool:
        return self.party is not None and any(r.name == role and r.held(self.record.day) for r in self.party.roles)

    def trained(self, charter: Charter, role: str) -> bool:
        return self.party is not None and not charter.untrained(self.party, role, self.record.day)


def judge_approvals(
    request: Request,
    charter: Charter,
    found: FoundRelease,
    book: Book,
    evidence: Evidence,
    criteria: JudgedCriteria,
    now: datetime,
) -> JudgedApprovals:
    """Whether each approval that the gate asks for was given often enough, no person counting twice."""
    gate = charter.gate(request.phase)
    if gate is None or found.manifest is None:
        return JudgedApprovals((), ())
    bench = _Bench(request, charter, found, found.manifest, evidence, criteria.needed, now)
    answers = [a for record in book.of_kind("decision") for a in bench.answers(record)]
    seats = [approval for approval in gate.approvals for _ in range(approval.count)]
    seated = _seat([_fit(approval, answers, charter) for approval in seats])
    taken = {answer.who: seats[seat] for seat, answer in seated.items()}
    reasons: list[Reason] = []
    for approval in dict.fromkeys(gate.approvals):
        need = sum(1 for seat in seats if seat == approval)
        have = sum(1 for seat in seated if seats[seat] == approval)
        if have < need:
            asked: Fields = {"question": approval.question, "role": approval.role}
            reasons.append(Reason("approval_missing", asked | {"have": have, "need": need}))
            reasons += _explain(approval, answers, taken, charter)
    return JudgedApprovals(tuple(reasons), tuple(sorted({a.record.position for a in seated.values()})))


def _fit(approval: Approval, answers: list[_Answer], charter: Charter) -> list[_Answer]:
    return [
        a
        for a in answers
        if not a.objections
        and a.record.text("question") == approval.question
        and a.holds(approval.role)
        and a.trained(charter, approval.role)
    ]


def _seat(candidates: list[list[_Answer]]) -> dict[int, _Answer]:
    """The most seats that can be filled with different people (augmenting paths over a small bipartite graph)."""
    held: dict[str, int] = {}
    chosen: dict[int, _Answer] = {}

    def place(seat: int, tried: set[str]) -> bool:
        for answer in candidates[seat]:
            if answer.who in tried:
                continue
            tried.add(answer.who)
            if answer.who not in held or place(held[answer.who], tried):
                held[answer.who] = seat
                chosen[seat] = answer
                return True
        return False

    for seat in range(len(candidates)):
        place(seat, set())
    return chosen


def _explain(approval: Approval, answers: list[_Answer], taken: dict[str, Approval], charter: Charter) -> list[Reason]:
    """Why the newest answer of each party to this question does not count."""
    newest: dict[str, _Answer] = {}
    for answer in answers:
        if answer.record.text("question") == approval.question:
            before = newest.get(answer.who)
            # NOTE: an answer about this release says more than a newer one about another.
            if before is None or _elsewhere(before) or not _elsewhere(answer):
                newest[answer.who] = answer
    reasons: list[Reason] = []
    for who, answer in newest.items():
        fields: Fields = {"party": who, "question": approval.question, "role": approval.role}
        position = (answer.record.position,)
        if who in taken and not answer.objections:
            if taken[who] != approval and answer.holds(approval.role):
                other: Fields = {"other": taken[who].question}
                reasons.append(Reason("approval_same_person", fields | other, position))
            continue
        reasons += answer.objections
        if answer.party is not None and not answer.holds(approval.role):
            reasons.append(Reason("approval_wrong_role", fields | {"on": answer.record.day.isoformat()}, position))
        elif answer.party is not None:
            reasons += [
                Reason("approval_untrained", fields | {"training": t.id, "description": t.description}, position)
                for t in charter.untrained(answer.party, approval.role, answer.record.day)
            ]
    return reasons


def _elsewhere(answer: _Answer) -> bool:
    return any(reason.key == "approval_other_release" for reason in answer.objections)


@dataclass(frozen=True)
class _Bench:
    """Everything that an answer is held against."""

    request: Request
    charter: Charter
    found: FoundRelease
    manifest: Manifest
    evidence: Evidence
    needed: tuple[Criterion, ...]
    now: datetime

    def answers(self, record: Record) -> list[_Answer]:
        """The yeses in a decision about a release of these products, one for each party that signed."""
        names = tuple(f"{p.dataset}@" for p in self.manifest.products)
        here = record.about(self.request.release)
        if record.text("verdict") != "approved" or not (here or any(_named(s.name, names) for s in record.subjects)):
            return []
        signers: tuple[Party | None, ...] = record.parties or (None,)
        return [_Answer(record, party, tuple(self._objections(record, party, here=here))) for party in signers]

    def _objections(self, record: Record, party: Party | None, *, here: bool) -> list[Reason]:
        fields: Fields = {
            "party": party.id if party else "?",
            "question": record.text("question"),
            "on": record.day.isoformat(),
        }
        found: list[Reason] = []

        def object_to(key: str, **more: str | float) -> None:
            found.append(Reason(f"approval_{key}", fields | more, (record.position,)))

        if not here:
            object_to("other_release", release=", ".join(s.name for s in record.subjects))
            return found
        expires = moment(record.predicate, "expires")
        if not record.here:
            object_to("elsewhere")
        if party is None:
            object_to("unknown_key")
        elif party.id in self.found.producers:
            object_to("by_producer")
        if expires is None:
            object_to("endless")
        elif expires <= self.now:
            object_to("expired", expires=expires.date().isoformat())
        if record.at > self.now + _SKEW:
            object_to("future")
        if record.text("phase") != self.request.phase:
            object_to("other_phase", phase=record.text("phase") or "?", wanted=self.request.phase)
        elif record.text("gate_digest") != self.charter.gate_digest(self.request.phase):
            object_to("old_gate")
        if unseen := self._unseen(record):
            object_to("too_early", criteria=", ".join(unseen))
        return found

    def _unseen(self, record: Record) -> list[str]:
        """Criteria that had no evidence yet when the answer was signed."""
        stated = record.predicate.get("seen")
        seen = stated if isinstance(stated, int) and not isinstance(stated, bool) else 0
        then = self.evidence.before(min(seen, record.position))
        return [
            criterion.id for criterion in self.needed if measure(criterion.measure, self.manifest, then).value is None
        ]


def _named(name: object, starts: tuple[str, ...]) -> bool:
    return isinstance(name, str) and name.startswith(starts)
