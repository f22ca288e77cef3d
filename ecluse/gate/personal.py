"""Columns of a release in which personal data was found, and that nobody classified as personal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ecluse.gate.book import Fields, Record, number, text
from ecluse.gate.evidence import Evidence
from ecluse.gate.measured import Measured
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.verdict import Reason
from ecluse.texts import LANGUAGES, entry


def personal_unclassified(manifest: Manifest, evidence: Evidence) -> Measured:
    """How many columns hold personal data that isn't classified as such, by the newest report about each file.

    Not computed where a file's newest report doesn't say: nobody looked, or it could not be done.
    """
    missing: list[Reason] = []
    found: dict[tuple[str, str], list[tuple[Record, dict[str, Any]]]] = {}
    for product in manifest.products:
        reports = _reports(product, evidence)
        missing += _unsought(product, reports)
        for report in filter(None, reports):
            for finding in _findings(report):
                found.setdefault((product.dataset, text(finding, "column")), []).append((report, finding))
    because = [_reason(dataset, column, told) for (dataset, column), told in found.items()]
    facts = tuple(position for reason in because for position in reason.facts)
    return Measured(None if missing else len(because), (*missing, *because), facts)


def columns_with_findings(product: TableVersion, evidence: Evidence) -> frozenset[str]:
    """The columns of a product in which personal data was found, by the newest report about each file."""
    reports = filter(None, _reports(product, evidence))
    return frozenset(text(finding, "column") for report in reports for finding in _findings(report))


def _reports(product: TableVersion, evidence: Evidence) -> list[Record | None]:
    """The newest report about each file, each once; ``None`` for a file without any."""
    newest = [evidence.report(product, file) for file in product.files]
    by_position = {report.position: report for report in newest if report is not None}
    return [*([None] if None in newest or not newest else []), *(by_position[p] for p in sorted(by_position))]


def _unsought(product: TableVersion, reports: list[Record | None]) -> list[Reason]:
    fields: Fields = {"dataset": product.dataset}
    if any(r is None or not isinstance(r.predicate.get("personal"), dict) for r in reports):
        return [Reason("personal_unsought", fields, tuple(r.position for r in reports if r is not None))]
    failed = [r for r in reports if r is not None and r.predicate["personal"].get("outcome") not in ("held", "broken")]
    return [Reason("personal_not_computed", fields, tuple(r.position for r in failed))] if failed else []


def _findings(report: Record) -> Iterator[dict[str, Any]]:
    said = report.predicate.get("personal")
    found = said.get("findings") if isinstance(said, dict) else None
    for finding in found if isinstance(found, list) else ():
        if isinstance(finding, dict) and finding.get("hint") is not True:
            yield finding


def _reason(dataset: str, column: str, told: list[tuple[Record, dict[str, Any]]]) -> Reason:
    newest, finding = told[-1]
    matched, tested = (sum(number(f, name) or 0 for _, f in told) for name in ("matched", "tested"))
    detector, kept = text(finding, "detector"), text(finding, "classification")
    fields: Fields = {
        "dataset": dataset,
        "column": column or "?",
        "share": f"{100 * matched / tested:.3g} %" if tested else "?",
        "matched": int(matched),
        "tested": int(tested),
        "classification": kept or "?",
        "on": newest.day.isoformat(),
    }
    for lang in LANGUAGES:
        # NOTE: a detector of a later version has no text here.
        fields[f"kind_{lang}"] = str(entry("gate.detectors", lang).get(detector) or detector or "?")
    return Reason("personal_found", fields, tuple(dict.fromkeys(report.position for report, _ in told)))
