"""The criteria of a gate: each executed on the facts of this moment, met, unmet or waived."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from ecluse.gate.book import Book, Fields, moment
from ecluse.gate.evidence import Evidence
from ecluse.gate.measured import Measured
from ecluse.gate.measures import measure
from ecluse.gate.readers import covers
from ecluse.gate.releases import FoundRelease, earlier_releases
from ecluse.model.charter import ALWAYS, MEASURES, Charter, Criterion, Kill, Party
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request
from ecluse.texts import LANGUAGES, number, say

_OPERATORS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "<=": ("at_most", operator.le),
    ">=": ("at_least", operator.ge),
    "<": ("less_than", operator.lt),
    ">": ("more_than", operator.gt),
    "==": ("exactly", operator.eq),
}


@dataclass(frozen=True)
class JudgedCriterion:
    """One criterion on one release: what was measured, whether that is enough, and the waiver where it needn't be."""

    criterion: Criterion
    measured: Measured
    met: bool
    waived: Reason | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it refuses; empty where it is met or waived."""
        met = self.met or self.waived is not None
        return () if met else (_unmet(self.criterion, self.measured), *self.measured.because)


@dataclass(frozen=True)
class JudgedCriteria:
    """Every criterion of a gate, in its order."""

    judged: tuple[JudgedCriterion, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the criteria refuse."""
        return tuple(reason for one in self.judged for reason in one.reasons)

    @property
    def warnings(self) -> tuple[Reason, ...]:
        """The waivers in force."""
        return tuple(one.waived for one in self.judged if one.waived is not None)

    @property
    def needed(self) -> tuple[Criterion, ...]:
        """The criteria whose evidence approvals had to have seen."""
        return tuple(one.criterion for one in self.judged if one.waived is None and one.measured.value is not None)

    @property
    def green(self) -> bool:
        """Whether every criterion is met, none waived."""
        return all(one.met for one in self.judged)


def criteria_of(charter: Charter, phase: str) -> tuple[Criterion, ...]:
    """The criteria in front of a phase, with those that every gate has.

    One that every gate has gives way to a criterion of the same measure, and to one about some datasets only there.
    """
    gate = charter.gate(phase)
    named = gate.criteria if gate else ()
    whole = {criterion.measure for criterion in named if not criterion.datasets}
    checked, personal = ([] if criterion.measure in whole else [criterion] for criterion in ALWAYS)
    return (*checked, *named, *personal)


def judge_criteria(
    request: Request, charter: Charter, found: FoundRelease, book: Book, evidence: Evidence, now: datetime
) -> JudgedCriteria:
    """Every criterion's measure against what the gate wants; a value that can't be computed is never enough."""
    assert found.manifest is not None
    judged: list[JudgedCriterion] = []
    gate = charter.gate(request.phase)
    for criterion in criteria_of(charter, request.phase):
        elsewhere = _elsewhere(criterion, gate.criteria if gate else ())
        measured = _measured(criterion, found.manifest, evidence, charter, elsewhere)
        met = measured.value is not None and holds(criterion, measured.value)
        if met and criterion.releases > 1:
            measured, met = _over_releases(criterion, request, found.manifest, book, evidence, charter)
        waived = None if met else _waiver(criterion, request, charter, found, book, now)
        judged.append(JudgedCriterion(criterion, measured, met, waived))
    return JudgedCriteria(tuple(judged))


def holds(condition: Criterion | Kill, value: float) -> bool:
    """Whether a value is what a condition says."""
    return _OPERATORS[condition.operator][1](value, condition.value)


def _elsewhere(criterion: Criterion, named: Sequence[Criterion]) -> tuple[str, ...]:
    """The datasets of which a gate asks in its own way what every gate asks: the criterion of all leaves them out."""
    if criterion in named:
        return ()
    return tuple(pattern for own in named if own.measure == criterion.measure for pattern in own.datasets)


def _measured(
    criterion: Criterion, manifest: Manifest, evidence: Evidence, charter: Charter, elsewhere: Sequence[str] = ()
) -> Measured:
    """The measure of a release, or of the part of it that the criterion is about; of no part, nothing is wrong."""
    if criterion.measure.startswith("kpi.") or not (criterion.datasets or elsewhere):
        return measure(criterion.measure, manifest, evidence, charter)
    # NOTE: a name that was misspelt must not let through what the right one would have stopped.
    if nowhere := [pattern for pattern in criterion.datasets if not _known(pattern, manifest, evidence, charter)]:
        return Measured(None, tuple(_unpublished(criterion, pattern) for pattern in nowhere))

    def concerned(dataset: str) -> bool:
        if elsewhere:
            return not any(covers(pattern, dataset) for pattern in elsewhere)
        return any(covers(pattern, dataset) for pattern in criterion.datasets)

    part = replace(
        manifest,
        products=tuple(p for p in manifest.products if concerned(p.dataset)),
        inputs=tuple(i for i in manifest.inputs if concerned(i.dataset)),
    )
    return measure(criterion.measure, part, evidence, charter)


def _unpublished(criterion: Criterion, pattern: str) -> Reason:
    return Reason("scope_unpublished", {"criterion": criterion.id, "scope": pattern})


def _known(pattern: str, manifest: Manifest, evidence: Evidence, charter: Charter) -> bool:
    """Whether a pattern names a dataset of a release, or one that was ever published here or before a promotion.

    One that is still to come is known by a purpose or a grant that says the same: who misspells seldom does so twice.
    """
    parts = [product.dataset for product in manifest.products] + [entry.dataset for entry in manifest.inputs]
    used = [purpose.datasets for purpose in charter.purposes] + [grant.datasets for grant in charter.grants]
    return (
        any(covers(pattern, part) for part in parts)
        or any(pattern in datasets for datasets in used)
        or evidence.ever_published(pattern)
    )


def _over_releases(
    criterion: Criterion, request: Request, manifest: Manifest, book: Book, evidence: Evidence, charter: Charter
) -> tuple[Measured, bool]:
    """The first of the releases before this one that doesn't meet a criterion of several, or that there are too few."""
    before = earlier_releases(request, manifest, book, criterion.releases - 1)
    for position, earlier in before:
        measured = _measured(criterion, earlier, evidence, charter)
        if measured.value is None or not holds(criterion, measured.value):
            because = Reason("earlier_release", {"version": earlier.version}, (position,))
            return replace(measured, because=(because, *measured.because)), False
    have = 1 + len(before)
    if have < criterion.releases:
        short: Fields = {"have": have, "need": criterion.releases}
        return Measured(None, (Reason("releases_too_few", short),)), False
    return _measured(criterion, manifest, evidence, charter), True


def _unmet(criterion: Criterion, measured: Measured) -> Reason:
    fields: Fields = {
        "criterion": criterion.id,
        "measure": criterion.measure,
        "description": criterion.description,
    }
    fields |= {f"wanted_{lang}": wanted(criterion, lang) for lang in LANGUAGES}
    if measured.value is None:
        return Reason(f"not_computed_{_kind(criterion)}", fields, measured.facts)
    fields |= {f"shown_{lang}": shown(criterion, measured.value, lang) for lang in LANGUAGES}
    fields["received"] = measured.value
    return Reason(f"unmet_{_kind(criterion)}", fields, measured.facts)


def _kind(criterion: Criterion) -> str:
    if criterion.measure in MEASURES:
        return criterion.measure.replace(".", "_")
    return "kpi" if criterion.measure.startswith("kpi.") else "other"


def wanted(condition: Criterion | Kill, lang: str | None = None) -> str:
    """What a condition wants, in words: ``at most 0.5 %``."""
    value = shown(condition, condition.value, lang)
    return say(f"gate.operators.{_OPERATORS[condition.operator][0]}", lang=lang, value=value)


def shown(condition: Criterion | Kill, value: float, lang: str | None = None) -> str:
    """A value as people read it: shares as percentages."""
    share = isinstance(condition, Criterion) and condition.measure == "quarantine.share"
    return f"{number(float(f'{value * 100:.4g}'), lang)}\u00a0%" if share else number(value, lang)


def _waiver(
    criterion: Criterion, request: Request, charter: Charter, found: FoundRelease, book: Book, now: datetime
) -> Reason | None:
    """The waiver of a criterion that is in force: by somebody whom this gate asks, about this release and this gate.

    Who made the release waives nothing of it, nor does who lacked a training of the role on that day.
    """
    gate = charter.gate(request.phase)
    roles = {approval.role for approval in gate.approvals} if gate else set()
    for record in book.newest_first("decision", verdict="waived", criterion=criterion.id, phase=request.phase):
        if record.text("gate_digest") != charter.gate_digest(request.phase) or not record.about(request.release):
            continue
        expires = moment(record.predicate, "expires")
        by = [
            party.id
            for party in record.parties
            if party.id not in found.producers and any(_may(party, role, record.day, charter) for role in roles)
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


def _may(party: Party, role: str, day: date, charter: Charter) -> bool:
    """Whether a party held a role on a day, with the trainings that it asks for."""
    return any(r.name == role and r.held(day) for r in party.roles) and not charter.untrained(party, role, day)
