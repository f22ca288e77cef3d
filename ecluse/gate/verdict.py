"""The verdict: one list of questions, each answered with its reasons to refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ecluse import texts
from ecluse.gate.approvals import JudgedApprovals, judge_approvals
from ecluse.gate.book import Book, Fields, utc
from ecluse.gate.criteria import JudgedCriteria, judge_criteria
from ecluse.gate.evidence import Evidence
from ecluse.gate.kill import kill_reasons
from ecluse.gate.phases import phase_reasons
from ecluse.gate.readers import covers, reader_reasons
from ecluse.gate.releases import FoundRelease, find_release, standing_objections
from ecluse.gate.rules import rule_reasons
from ecluse.model.charter import AUTONOMY, Charter
from ecluse.model.facts import SignedFact
from ecluse.model.verdict import Reason, Request, Verdict


@dataclass(frozen=True)
class Judgement:
    """What the gate finds of one release in one phase.

    ``besides`` are the reasons to refuse that are neither of the criteria nor of the approvals, which are asked of a
    release that exists.
    """

    besides: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    release: FoundRelease
    evidence: Evidence
    criteria: JudgedCriteria = field(default_factory=JudgedCriteria)
    approvals: JudgedApprovals = field(default_factory=JudgedApprovals)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason to refuse."""
        return (*self.besides, *self.criteria.reasons, *self.approvals.reasons)


def verdict(
    request: Request, charter: Charter, facts: Sequence[SignedFact], now: datetime, *, trust: Mapping[str, str]
) -> Verdict:
    """Whether ``request`` opens at ``now``, and every reason why not.

    ``trust`` maps a key's id to the id of the party that holds it. What it doesn't name counts for nothing; a key
    that the charter lists counts only while the charter says so, and only for the party that lists it. The function
    never raises: a fact that is malformed is a fact that is missing.
    """
    now = utc(now)
    book = Book(charter, facts, trust, request.project, request.environment)
    found = judge_release(request, charter, book, now)
    warnings = [] if request.authenticated else [Reason("reader_unauthenticated", {"reader": request.reader or "?"})]
    reasons = [
        *purpose_reasons(request, charter),
        *found.reasons,
        *reader_reasons(request, charter, now.date()),
        *rule_reasons(request, charter, book),
    ]
    warnings += [*found.warnings, *review_reasons(charter, now.date())]
    return Verdict(once(reasons), once(warnings), found.approvals.counted)


def release_verdict(
    request: Request, charter: Charter, facts: Sequence[SignedFact], now: datetime, *, trust: Mapping[str, str]
) -> Verdict:
    """The part of ``verdict`` that is about the release: whoever reads it, and whatever for."""
    book = Book(charter, facts, trust, request.project, request.environment)
    found = judge_release(request, charter, book, utc(now))
    return Verdict(once(found.reasons), once(found.warnings), found.approvals.counted)


def judge_release(request: Request, charter: Charter, book: Book, now: datetime) -> Judgement:
    """The release that a request names, held against the gate of its phase, criterion by criterion."""
    found, evidence = find_release(request, charter, book), Evidence(book)
    killed, unmeasured = kill_reasons(charter, book)
    besides = (*killed, *age_reasons(charter, book, now), *phase_reasons(request, charter, book), *found.reasons)
    if found.manifest is None:
        return Judgement(besides, tuple(unmeasured), found, evidence)
    criteria = judge_criteria(request, charter, found, book, evidence, now)
    approvals = judge_approvals(request, charter, found, book, evidence, criteria, now)
    besides += tuple(standing_objections(request, charter, book))
    return Judgement(besides, (*unmeasured, *criteria.warnings), found, evidence, criteria, approvals)


def purpose_reasons(request: Request, charter: Charter) -> list[Reason]:
    """Why the purpose doesn't open the dataset; empty where the charter allows it."""
    purpose = charter.purpose(request.purpose)
    if purpose is None:
        allowed = ", ".join(p.id for p in charter.purposes if p.allowed)
        return [Reason("purpose_unknown", {"purpose": request.purpose, "known": allowed})]
    reasons = []
    if not purpose.allowed:
        reasons.append(Reason("purpose_prohibited", {"purpose": purpose.id, "description": purpose.description}))
    # NOTE: a purpose that lists no datasets is not limited to any; grants limit it further in either case.
    if purpose.datasets and not any(covers(pattern, request.dataset) for pattern in purpose.datasets):
        fields: Fields = {"purpose": purpose.id, "dataset": request.dataset, "datasets": ", ".join(purpose.datasets)}
        reasons.append(Reason("purpose_other_dataset", fields))
    gate = charter.gate(request.phase)
    if gate is not None and AUTONOMY.index(purpose.autonomy) > AUTONOMY.index(gate.autonomy):
        most: Fields = {"purpose": purpose.id, "phase": request.phase}
        most |= {
            f"wanted_{lang}": texts.say(f"gate.autonomy.{purpose.autonomy}", lang=lang) for lang in texts.LANGUAGES
        }
        most |= {f"most_{lang}": texts.say(f"gate.autonomy.{gate.autonomy}", lang=lang) for lang in texts.LANGUAGES}
        reasons.append(Reason("autonomy_exceeded", most))
    return reasons


def age_reasons(charter: Charter, book: Book, now: datetime) -> list[Reason]:
    """A log to which nothing was added for long may be a copy that was put back: what is told since isn't in it."""
    if not charter.log_within_days:
        return []
    newest = book.newest
    if newest is not None and newest.at + timedelta(days=charter.log_within_days) > now:
        return []
    on = newest.day.isoformat() if newest is not None else "–"
    return [Reason("log_too_old", {"on": on, "days": charter.log_within_days})]


def review_reasons(charter: Charter, today: date) -> list[Reason]:
    """That the charter should have been reviewed by now, where it should."""
    due = charter.review_due
    return [] if due is None or today < due else [Reason("review_overdue", {"due": due.isoformat()})]


def once(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons in order, each once; two releases of one fact can give the same one."""
    kept: list[Reason] = []
    for reason in reasons:
        if reason not in kept:
            kept.append(reason)
    return tuple(kept)
