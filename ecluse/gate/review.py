"""What somebody should have seen before they sign: what is new since the last release, and what is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ecluse.gate.book import Book, number, objects, text
from ecluse.gate.incidents import Incident, incidents
from ecluse.gate.plan import Plan, plan
from ecluse.gate.releases import earlier_releases
from ecluse.gate.risks import Residual, ResidualRisk, residual_risks
from ecluse.gate.verdict import Judgement
from ecluse.model.charter import Charter
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.verdict import Request


@dataclass(frozen=True)
class Difference:
    """A product beside the release before: ``None`` where that held no such product."""

    dataset: str
    rows: int
    rows_before: int | None
    files: int
    files_new: int
    contract_changed: bool
    suite_changed: bool


@dataclass(frozen=True)
class Doubt:
    """A promise that some rows of a product break, and that stops nothing: what it is about, and how many rows."""

    dataset: str
    check: str
    severity: str
    rows: int | None


@dataclass(frozen=True)
class Review:
    """A release as somebody should know it before a decision about a phase.

    ``risks`` are those of the charter that aren't controlled, and ``incidents`` those that are open and touch the
    release.
    """

    plan: Plan
    gate_digest: str
    before: str | None
    differences: tuple[Difference, ...]
    doubts: tuple[Doubt, ...]
    risks: tuple[ResidualRisk, ...]
    incidents: tuple[Incident, ...]


def review(manifest: Manifest, phase: str, charter: Charter, book: Book, now: datetime) -> Review:
    """Everything that the log says about a release and that bears on a decision."""
    planned = plan(phase, manifest, charter, book, now)
    asked = Request("", None, manifest.digest, "", None, phase, manifest.project, manifest.environment)
    earlier = earlier_releases(asked, manifest, book, 1)
    before = earlier[0][1] if earlier else None
    return Review(
        planned,
        charter.gate_digest(phase),
        before.version if before else None,
        tuple(_difference(product, before) for product in manifest.products),
        tuple(doubt for product in manifest.products for doubt in _doubts(product, planned.judged)),
        tuple(risk for risk in residual_risks(charter, book) if risk.state is not Residual.CONTROLLED),
        tuple(one for one in incidents(charter, book, now, manifest) if one.touches(manifest)),
    )


def _difference(product: TableVersion, before: Manifest | None) -> Difference:
    same = [p for p in before.products if p.dataset == product.dataset] if before else []
    old = same[0] if same else replace(product, files=())
    known = {file.sha256 for file in old.files}
    return Difference(
        product.dataset,
        product.rows,
        old.rows if same else None,
        len(product.files),
        sum(file.sha256 not in known for file in product.files),
        old.contract_digest != product.contract_digest,
        old.suite_digest != product.suite_digest,
    )


def _doubts(product: TableVersion, judged: Judgement) -> list[Doubt]:
    """By check, the rows that break a promise in the newest reports about a product's files."""
    reports = {r.position: r for file in product.files if (r := judged.evidence.report(product, file)) is not None}
    found: dict[tuple[str, str], int | None] = {}
    for record in reports.values():
        for check in objects(record.predicate, "checks"):
            rows = number(check, "unexpected_count")
            if text(check, "outcome") != "held" and not number(check, "quarantined"):
                about = (text(check, "name"), text(check, "severity"))
                known = found.get(about, 0)
                found[about] = None if rows is None or known is None else known + int(rows)
    return [Doubt(product.dataset, check, severity, rows) for (check, severity), rows in sorted(found.items())]
