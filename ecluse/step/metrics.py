"""What was observed of a release: the answers of its checks, its quarantine, and the KPIs computed from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecluse.model.counts import Counts, counted
from ecluse.model.facts import SignedFact
from ecluse.model.outcome import Outcome, Scope
from ecluse.model.release import Manifest, TableVersion
from ecluse.step.rollback import made_of

_WORST = (Outcome.BROKEN, Outcome.NOT_COMPUTED, Outcome.HELD)


@dataclass(frozen=True)
class Answer:
    """What one check said of a version when it was published, over all of its parts.

    ``asked`` counts the rows that it was asked of, ``failing`` those that broke it, quarantined ones among them; both
    are ``None`` where it counts none. ``observed`` is the value that it measured, a number or a short text; ``None``
    where there is none, or one for each part.
    """

    outcome: Outcome
    asked: int | None
    failing: int | None
    observed: Any = None


@dataclass(frozen=True)
class Metrics:
    """The answers of the checks by name, how many rows are in quarantine, and the newest value of each KPI by id."""

    checks: Mapping[str, Answer]
    quarantined: int
    kpis: Mapping[str, float]


def metrics_of(manifest: Manifest, dataset: str, facts: Sequence[SignedFact]) -> Metrics:
    """The metrics of one product of a release, as the log says; what nobody observed is not among them."""
    product = manifest.product(dataset)
    counts: Counts = {}
    for publication in made_of(facts, dataset, product.snapshot_id):
        counts = counted(counts, publication.fact.predicate)
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for report in _reports(product, facts):
        for check in report["checks"]:
            told[check["name"]].append(check)
    return Metrics(
        checks={name: _answer(parts) for name, parts in sorted(told.items())},
        quarantined=sum(gone for _, gone in counts.values()),
        kpis=_kpis(manifest, facts),
    )


def _reports(product: TableVersion, facts: Sequence[SignedFact]) -> list[Mapping[str, Any]]:
    """The newest report about each file from before it was published, each once, oldest first."""
    newest: dict[str, SignedFact] = {}
    for signed in facts:
        said = signed.fact.predicate
        asked = (signed.fact.kind, said.get("about"), said.get("on"), said.get("dataset"))
        if asked == ("evidence", "check-report", "candidate", product.dataset):
            newest |= {subject.sha256: signed for subject in signed.fact.subjects}
    found = {newest[file.sha256].position: newest[file.sha256] for file in product.files if file.sha256 in newest}
    return [found[position].fact.predicate for position in sorted(found)]


def _answer(parts: Sequence[Mapping[str, Any]]) -> Answer:
    """The answers about the parts of a version as one; of the whole table, the newest says everything."""
    if parts[-1]["scope"] != Scope.BATCH:
        parts = parts[-1:]
    outcomes = {Outcome(part["outcome"]) for part in parts}
    return Answer(
        outcome=next(outcome for outcome in _WORST if outcome in outcomes),
        asked=_sum(parts, "element_count"),
        failing=_sum(parts, "unexpected_count"),
        observed=parts[0].get("observed") if len(parts) == 1 else None,
    )


def _sum(parts: Sequence[Mapping[str, Any]], name: str) -> int | None:
    counts = [part[name] for part in parts]
    return None if None in counts else sum(counts)


def _kpis(manifest: Manifest, facts: Sequence[SignedFact]) -> dict[str, float]:
    observed = [
        signed.fact.predicate
        for signed in facts
        if signed.fact.predicate.get("about") == "kpi" and manifest.digest in {s.sha256 for s in signed.fact.subjects}
    ]
    return {said["kpi"]: said["value"] for said in observed}
