"""The criteria of a gate: each executed on the facts of this moment, met, unmet or waived."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ecluse.gate.book import Book, Fields, Record, moment
from ecluse.gate.evidence import Evidence
from ecluse.gate.measures import Measured, measure
from ecluse.gate.readers import covers
from ecluse.gate.releases import FoundRelease, earlier_releases
from ecluse.model.charter import Charter, Criterion
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request
from ecluse.texts import LANGUAGES, say

#: What every gate asks, in whatever phase, unless its charter says how: each file was checked, and nothing blocks.
CHECKED = Criterion("checks", "checks.broken", "==", 0)

_OPERATORS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "<=": ("at_most", operator.le),
    ">=": ("at_least", operator.ge),
    "<": ("less_than", operator.lt),
    ">": ("more_than", operator.gt),
    "==": ("exactly", operator.eq),
}


@dataclass(frozen=True)
class JudgedCriteria:
    """Reasons of unmet criteria, warnings of waived ones, and the criteria that approvals had to have seen."""

    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    needed: tuple[Criterion, ...]


def criteria_of(charter: Charter, phase: str) -> tuple[Criterion, ...]:
    """The criteria in front of a phase, with the one that every gate has."""
    gate = charter.gate(phase)
    named = gate.criteria if gate else ()
    return named if any(c.measure == CHECKED.measure for c in named) else (CHECKED, *named)


def judge_criteria(
    request: Request, charter: Charter, found: FoundRelease, book: Book, evidence: Evidence, now: datetime
) -> JudgedCriteria:
    """Every criterion's measure against what the gate wants; a value that can't be computed is never enough."""
    assert found.manifest is not None
    reasons: list[Reason] = []
    warnings: list[Reason] = []
    needed: list[Criterion] = []
    for criterion in criteria_of(charter, request.phase):
        measured = _measured(criterion, found.manifest, evidence)
        met = measured.value is not None and _OPERATORS[criterion.operator][1](measured.value, criterion.value)
        if met and criterion.releases > 1:
            measured, met = _over_releases(criterion, request, found.manifest, book, evidence)
        waived = None if met else _waiver(criterion, request, charter, found, book, now)
        if waived is not None:
            warnings.append(waived)
            continue
        if measured.value is not None:
            needed.append(criterion)
        if not met:
            reasons += [_unmet(criterion, measured), *measured.because]
    return JudgedCriteria(tuple(reasons), tuple(warnings), tuple(needed))


def _measured(criterion: Criterion, manifest: Manifest, evidence: Evidence) -> Measured:
    """The measure of a release, or of the part of it that the criterion is about; of no part, nothing is wrong."""
    if not criterion.datasets or criterion.measure.startswith("kpi."):
        return measure(criterion.measure, manifest, evidence)

    def concerned(dataset: str) -> bool:
        return any(covers(pattern, dataset) for pattern in criterion.datasets)

    part = replace(
        manifest,
        products=tuple(p for p in manifest.products if concerned(p.dataset)),
        inputs=tuple(i for i in manifest.inputs if concerned(i.dataset)),
    )
    return measure(criterion.measure, part, evidence)


def _over_releases(
    criterion: Criterion, request: Request, manifest: Manifest, book: Book, evidence: Evidence
) -> tuple[Measured, bool]:
    """The first of the releases before this one that doesn't meet a criterion of several, or that there are too few."""
    before = earlier_releases(request, manifest, book)[: criterion.releases - 1]
    for position, earlier in before:
        measured = _measured(criterion, earlier, evidence)
        if measured.value is None or not _OPERATORS[criterion.operator][1](measured.value, criterion.value):
            because = Reason("earlier_release", {"version": earlier.version}, (position,))
            return replace(measured, because=(because, *measured.because)), False
    have = 1 + len(before)
    if have < criterion.releases:
        short: Fields = {"have": have, "need": criterion.releases}
        return Measured(None, (Reason("releases_too_few", short),)), False
    return _measured(criterion, manifest, evidence), True


def _unmet(criterion: Criterion, measured: Measured) -> Reason:
    fields: Fields = {
        "criterion": criterion.id,
        "measure": criterion.measure,
        "description": criterion.description,
    }
    value, word = _shown(criterion, criterion.value), _OPERATORS[criterion.operator][0]
    fields |= {f"wanted_{lang}": say(f"gate.operators.{word}", lang=lang, value=value) for lang in LANGUAGES}
    if measured.value is None:
        return Reason(f"not_computed_{_kind(criterion)}", fields, measured.facts)
    fields |= {"received": measured.value, "shown": _shown(criterion, measured.value)}
    return Reason(f"unmet_{_kind(criterion)}", fields, measured.facts)


def _kind(criterion: Criterion) -> str:
    known = ("checks.broken", "quarantine.share", "suite.stale", "freshness.broken", "sources.unlicensed")
    if criterion.measure in known:
        return criterion.measure.replace(".", "_")
    return "kpi" if criterion.measure.startswith("kpi.") else "other"


def _shown(criterion: Criterion, value: float) -> str:
    return f"{value * 100:.4g} %" if criterion.measure == "quarantine.share" else f"{value:.6g}"


def _waiver(
    criterion: Criterion, request: Request, charter: Charter, found: FoundRelease, book: Book, now: datetime
) -> Reason | None:
    """The waiver of a criterion that is in force: by somebody whom this gate asks, about this release and this gate."""
    gate = charter.gate(request.phase)
    roles = {approval.role for approval in gate.approvals} if gate else set()
    for record in reversed(book.decisions):
        if not _waives(record, criterion, request, charter):
            continue
        expires = moment(record.predicate, "expires")
        by = [
            party.id
            for party in record.parties
            if party.id not in found.producers and any(r.name in roles and r.held(record.day) for r in party.roles)
        ]
        if by and expires is not None and now < expires and record.at <= now:
            fields: Fields = {
                "criterion": criterion.id,
                "party": by[0],
                "until": expires.date().isoformat(),
                "why": record.text("reason"),
            }
            return Reason("waived", fields, (record.position,))
    return None


def _waives(record: Record, criterion: Criterion, request: Request, charter: Charter) -> bool:
    return (
        record.text("verdict") == "waived"
        and record.text("criterion") == criterion.id
        and record.text("phase") == request.phase
        and record.text("gate_digest") == charter.gate_digest(request.phase)
        and record.about(request.release)
    )
