"""The verdict: one list of questions, each answered with its reasons to refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from ecluse.gate.approvals import judge_approvals
from ecluse.gate.book import Book, Fields, utc
from ecluse.gate.criteria import judge_criteria
from ecluse.gate.evidence import Evidence
from ecluse.gate.readers import covers, reader_reasons
from ecluse.gate.releases import earlier_releases, find_release, standing_objections
from ecluse.gate.rules import rule_reasons
from ecluse.model.charter import Charter
from ecluse.model.facts import SignedFact
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request, Verdict


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
    found = _judge_release(request, charter, book, now)
    warnings = [] if request.authenticated else [Reason("reader_unauthenticated", {"reader": request.reader or "?"})]
    reasons = [
        *_purpose(request, charter),
        *found.reasons,
        *reader_reasons(request, charter, now.date()),
        *rule_reasons(request, charter, book),
    ]
    return Verdict(_once(reasons), _once([*warnings, *found.warnings, *_review(charter, now.date())]), found.approvals)


def release_verdict(
    request: Request, charter: Charter, facts: Sequence[SignedFact], now: datetime, *, trust: Mapping[str, str]
) -> Verdict:
    """The part of ``verdict`` that is about the release: whoever reads it, and whatever for."""
    return _judge_release(request, charter, Book(charter, facts, trust, request.project, request.environment), utc(now))


def _judge_release(request: Request, charter: Charter, book: Book, now: datetime) -> Verdict:
    found = find_release(request, book)
    reasons = [*_phase(request, charter), *found.reasons]
    warnings: tuple[Reason, ...] = ()
    approvals: tuple[int, ...] = ()
    if found.manifest is not None:
        evidence = Evidence.of(book.evidence(_concerned(request, charter, found.manifest, book)))
        reasons += standing_objections(request, charter, book)
        criteria = judge_criteria(request, charter, found, book, evidence, now)
        answers = judge_approvals(request, charter, found, book, evidence, criteria, now)
        reasons += [*criteria.reasons, *answers.reasons]
        warnings = tuple(criteria.warnings)
        approvals = answers.counted
    return Verdict(_once(reasons), _once(warnings), approvals)


def _purpose(request: Request, charter: Charter) -> list[Reason]:
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
    return reasons


def _phase(request: Request, charter: Charter) -> list[Reason]:
    if charter.gate(request.phase) is None:
        return [Reason("gate_unknown", {"phase": request.phase, "known": ", ".join(charter.phases)})]
    if charter.phases.index(request.phase) > charter.phases.index(charter.phase):
        return [Reason("phase_ahead", {"phase": request.phase, "current": charter.phase})]
    return []


def _concerned(request: Request, charter: Charter, manifest: Manifest, book: Book) -> set[str]:
    """The datasets whose evidence the criteria look at."""
    gate = charter.gate(request.phase)
    looks_back = gate is not None and any(criterion.releases > 1 for criterion in gate.criteria)
    releases = [manifest, *(m for _, m in earlier_releases(request, manifest, book))] if looks_back else [manifest]
    products = {product.dataset for release in releases for product in release.products}
    return products | {entry.dataset for release in releases for entry in release.inputs}


def _review(charter: Charter, today: date) -> list[Reason]:
    due = charter.review_due
    return [] if due is None or today < due else [Reason("review_overdue", {"due": due.isoformat()})]


def _once(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons in order, each once; two releases of one fact can give the same one."""
    kept: list[Reason] = []
    for reason in reasons:
        if reason not in kept:
            kept.append(reason)
    return tuple(kept)
