"""The approvals of a gate: who answered yes, which answers count, and why the others don't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial

from ecluse.gate.book import Book, Fields, Record, moment
from ecluse.gate.criteria import JudgedCriteria
from ecluse.gate.evidence import Evidence
from ecluse.gate.measures import measure
from ecluse.gate.releases import FoundRelease
from ecluse.gate.standing import looked_at, patch_objections
from ecluse.model.charter import Approval, Charter, Gate, Party
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request

#: Clocks of two machines may differ by this much before an answer counts as dated in the future.
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class JudgedApproval:
    """One approval that a gate asks for: who gave it, until when, and why others who answered don't count."""

    approval: Approval
    answers: tuple[Answer, ...]
    objections: tuple[Reason, ...] = ()

    @property
    def missing(self) -> int:
        """How many people still have to say yes."""
        return self.approval.count - len(self.answers)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it refuses; empty where enough people said yes."""
        if not self.missing:
            return ()
        asked: Fields = {"question": self.approval.question, "role": self.approval.role}
        have: Fields = {"have": len(self.answers), "need": self.approval.count}
        return (Reason("approval_missing", asked | have), *self.objections)


@dataclass(frozen=True)
class JudgedApprovals:
    """Every approval of a gate, in its order."""

    judged: tuple[JudgedApproval, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the approvals refuse."""
        return tuple(reason for one in self.judged for reason in one.reasons)

    @property
    def counted(self) -> tuple[int, ...]:
        """The positions of the decisions that count."""
        return tuple(sorted({answer.record.position for one in self.judged for answer in one.answers}))


@dataclass(frozen=True)
class Answer:
    """One party's yes, with everything that speaks against counting it apart from the role.

    ``elsewhere`` tells that it is about another release and nothing else, so that it only explains what is missing.
    """

    record: Record
    party: Party | None
    elsewhere: bool = False
    object_to: Callable[[], Iterable[Reason]] = tuple

    @cached_property
    def objections(self) -> tuple[Reason, ...]:
        """What speaks against it, found out when somebody asks: most of a long log's answers are never looked at."""
        return tuple(self.object_to())

    @property
    def who(self) -> str:
        """The party, or a name for a stranger that nobody else has."""
        return self.party.id if self.party else f"?{self.record.position}"

    def holds(self, role: str) -> bool:
        """Whether the party had the role on the day of the answer."""
        return self.party is not None and any(r.name == role and r.held(self.record.day) for r in self.party.roles)

    def trained(self, charter: Charter, role: str) -> bool:
        """Whether the party had the trainings of the role on the day of the answer."""
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
        return JudgedApprovals()
    bench = _Bench(request, charter, gate, found, found.manifest, book, evidence, criteria, now)
    answers = [answer for record in book.about("decision", request.release) for answer in bench.answers(record)]
    filled = fill(gate, answers, charter)
    if not filled.reasons:
        return filled
    # NOTE: answers about other releases come last, because most of a long log's answers are such.
    return fill(gate, sorted([*answers, *bench.others()], key=lambda answer: answer.record.position), charter)


def fill(gate: Gate, answers: list[Answer], charter: Charter) -> JudgedApprovals:
    """The answers that fill the seats of a gate, as many as can be with different people."""
    seats = [approval for approval in gate.approvals for _ in range(approval.count)]
    seated = _seat([_fit(approval, answers, charter) for approval in seats])
    taken = {answer.who: seats[seat] for seat, answer in seated.items()}
    judged: dict[Approval, JudgedApproval] = {}
    for approval in dict.fromkeys(gate.approvals):
        # NOTE: an approval that a gate lists twice is one of twice as many people.
        whole = replace(approval, count=seats.count(approval))
        given = tuple(answer for seat, answer in sorted(seated.items()) if seats[seat] == approval)
        missing = len(given) < whole.count
        objections = tuple(_explain(approval, answers, taken, charter)) if missing else ()
        judged[approval] = JudgedApproval(whole, given, objections)
    return JudgedApprovals(tuple(judged.values()))


def _fit(approval: Approval, answers: list[Answer], charter: Charter) -> list[Answer]:
    return [
        a
        for a in answers
        if not a.elsewhere
        and a.record.text("question") == approval.question
        and not a.objections
        and a.holds(approval.role)
        and a.trained(charter, approval.role)
    ]


def _seat(candidates: list[list[Answer]]) -> dict[int, Answer]:
    """The most seats that can be filled with different people (augmenting paths over a small bipartite graph)."""
    held: dict[str, int] = {}
    chosen: dict[int, Answer] = {}

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


def _explain(approval: Approval, answers: list[Answer], taken: dict[str, Approval], charter: Charter) -> list[Reason]:
    """Why the newest answer of each party to this question does not count."""
    newest: dict[str, Answer] = {}
    for answer in answers:
        if answer.record.text("question") == approval.question:
            before = newest.get(answer.who)
            # NOTE: an answer about this release says more than a newer one about another.
            if before is None or before.elsewhere or not answer.elsewhere:
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


@dataclass(frozen=True)
class _Bench:
    """Everything that an answer is held against."""

    request: Request
    charter: Charter
    gate: Gate
    found: FoundRelease
    manifest: Manifest
    book: Book
    evidence: Evidence
    criteria: JudgedCriteria
    now: datetime

    @cached_property
    def gate_digest(self) -> str:
        """The digest that an answer must have bound."""
        return self.charter.gate_digest(self.request.phase)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """How subjects begin that name a release of one of these products."""
        return tuple(f"{p.dataset}@" for p in self.manifest.products)

    def answers(self, record: Record) -> list[Answer]:
        """The yeses in a decision about a release of these products, one for each party that signed."""
        here = record.about(self.request.release)
        if record.text("verdict") != "approved" or not (
            here or any(_named(s.name, self.names) for s in record.subjects)
        ):
            return []
        signers: tuple[Party | None, ...] = record.parties or (None,)
        standing = not here and self._standing(record)
        return [
            Answer(
                record, party, not here and not standing, partial(self._objections, record, party, standing=standing)
            )
            for party in signers
        ]

    def others(self) -> Iterator[Answer]:
        """The answers about other releases: the standing ones, and those that only explain what is missing.

        Of the latter, the newest of each party to each question; an older one explains nothing more.
        """
        explained: set[tuple[str, str]] = set()
        for record in self.book.saying("decision", verdict="approved"):
            question = record.text("question")
            known = explained.issuperset([(party.id, question) for party in record.parties])
            if known and record.parties and not self._standing(record):
                continue
            for answer in () if record.about(self.request.release) else self.answers(record):
                asked = (answer.who, question)
                if answer.elsewhere and asked in explained:
                    continue
                explained.add(asked)
                yield answer

    def _standing(self, record: Record) -> bool:
        """Whether an answer also counts for the patch releases after the one that it is about."""
        return self.gate.standing_days > 0 and record.predicate.get("standing") is True

    def _objections(self, record: Record, party: Party | None, *, standing: bool) -> list[Reason]:
        fields: Fields = {
            "party": party.id if party else "?",
            "question": record.text("question"),
            "on": record.day.isoformat(),
        }
        found: list[Reason] = []

        def object_to(key: str, **more: str | float) -> None:
            found.append(Reason(f"approval_{key}", fields | more, (record.position,)))

        if not standing and not record.about(self.request.release):
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
        elif record.text("gate_digest") != self.gate_digest:
            object_to("old_gate")
        if standing:
            for key, more in patch_objections(record, self.gate, self.manifest, self.book, self.criteria):
                object_to(key, **more)
        about = looked_at(record, self.book) if standing else self.manifest
        if about is not None and (unseen := self._unseen(record, about)):
            object_to("too_early", criteria=", ".join(unseen))
        return found

    def _unseen(self, record: Record, about: Manifest) -> list[str]:
        """Criteria of which there was no evidence about a release yet when the answer to it was signed."""
        stated = record.predicate.get("seen")
        seen = stated if isinstance(stated, int) and not isinstance(stated, bool) else 0
        then = self.evidence.before(min(seen, record.position))
        return [
            criterion.id
            for criterion in self.criteria.needed
            if measure(criterion.measure, about, then, self.charter).value is None
        ]


def _named(name: object, starts: tuple[str, ...]) -> bool:
    return isinstance(name, str) and name.startswith(starts)
