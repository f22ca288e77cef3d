"""The measures that criteria name, each computed from the facts about a release, or not computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecluse.gate.book import Fields, Record, number, text
from ecluse.gate.evidence import Evidence
from ecluse.gate.measured import Measured
from ecluse.gate.personal import personal_unclassified
from ecluse.model.charter import Charter
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.verdict import Reason
from ecluse.texts import LANGUAGES


def measure(name: str, manifest: Manifest, evidence: Evidence, charter: Charter) -> Measured:
    """The measure of that name for a release; a name that nobody knows can't be computed."""
    if name.startswith("kpi."):
        return _kpi(name.removeprefix("kpi."), manifest, evidence, charter)
    known = _MEASURES.get(name)
    return known(manifest, evidence) if known else Measured(None)


def _checks_broken(manifest: Manifest, evidence: Evidence) -> Measured:
    """Blocking checks that are not held, in the reports that count for the files of the products.

    For each file the newest report counts, and the newest one by the suite that the manifest names too: a weaker
    suite can't clear what the release's own suite found.
    """
    unchecked = _unchecked(manifest, evidence)
    because: list[Reason] = []
    for product in manifest.products:
        counting: dict[int, Record] = {}
        for file in product.files:
            for own in (False, True):
                if (found := evidence.report(product, file, own=own)) is not None:
                    counting[found.position] = found
        for position in sorted(counting):
            because += not_held(product.dataset, counting[position])
    value = None if unchecked else len(because)
    return Measured(value, (*unchecked, *because), tuple(p for reason in because for p in reason.facts))


def _unchecked(manifest: Manifest, evidence: Evidence) -> tuple[Reason, ...]:
    reasons = []
    for product in manifest.products:
        missing = sum(1 for file in product.files if evidence.report(product, file) is None)
        fields: Fields = {"dataset": product.dataset, "files": missing, "of": len(product.files)}
        if missing:
            reasons.append(Reason("files_unchecked", fields))
        elif not product.files:
            # NOTE: of no files each one was checked, which proves nothing.
            reasons.append(Reason("product_empty", fields))
    return tuple(reasons)


def not_held(dataset: str, report: Record) -> list[Reason]:
    """The blocking checks of a report that are not held, and rows that weren't accounted for."""
    partition = report.text("partition")
    about = f"{dataset} [{partition}]" if partition else dataset
    fields: Fields = {"dataset": dataset, "about": about, "on": _judged_on(report)}
    reasons = []
    for check in report.objects("checks"):
        if not _blocks(check):
            continue
        rows = number(check, "unexpected_count")
        if check.get("outcome") != "broken":
            reasons.append(Reason("check_not_computed", fields | _said(check), (report.position,)))
        elif rows is None:
            reasons.append(Reason("check_broken", fields | _said(check), (report.position,)))
        else:
            detail = fields | _said(check) | {"rows": int(rows)}
            reasons.append(Reason("check_broken_by_rows", detail, (report.position,)))
    if report.predicate.get("accounting_outcome", "held") not in ("held", None):
        reasons.append(Reason("accounting_not_held", fields, (report.position,)))
    if not reasons and report.text("outcome") != "held":
        reasons.append(Reason("report_not_held", fields, (report.position,)))
    return reasons


def _judged_on(report: Record) -> str:
    """The day that a report speaks of: a check of published data may be asked as of another day than it was signed."""
    return (report.text("judged_at") or report.day.isoformat())[:10]


def _said(check: dict[str, Any]) -> Fields:
    """The promise in words, per language; its name where the report holds none."""
    name = text(check, "name") or "?"
    said = check.get("said")
    words = said if isinstance(said, dict) else {}
    return {"check": name, **{f"said_{lang}": str(words.get(lang) or name) for lang in LANGUAGES}}


def _blocks(check: dict[str, Any]) -> bool:
    if check.get("outcome") == "held":
        return False
    unexpected, waived = number(check, "unexpected_count"), number(check, "waived")
    # NOTE: rows that a person released from quarantine break the check still, and were decided upon one by one.
    decided = bool(waived) and unexpected is not None and waived is not None and waived >= unexpected
    harmless = check.get("severity") in ("warning", "info") or bool(number(check, "quarantined")) or decided
    return not (check.get("outcome") == "broken" and harmless)


def _quarantine_share(manifest: Manifest, evidence: Evidence) -> Measured:
    publications: dict[int, Record] = {}
    missing: list[Reason] = []
    for product in manifest.products:
        found = [evidence.publications(product, file) for file in product.files]
        publications |= {r.position: r for records in found for r in records}
        if () in found:
            missing.append(Reason("files_unpublished", {"dataset": product.dataset, "files": found.count(())}))
    totals = {"computed": 0.0, "quarantined": 0.0}
    for record in publications.values():
        accounting = record.predicate.get("accounting")
        for name in totals:
            value = number(accounting, name) if isinstance(accounting, dict) else None
            if value is None or value < 0:
                missing.append(Reason("accounting_missing", {"dataset": record.text("dataset")}, (record.position,)))
                break
            totals[name] += value
    if missing:
        return Measured(None, tuple(missing))
    share = totals["quarantined"] / totals["computed"] if totals["computed"] else float(totals["quarantined"] > 0)
    return Measured(share, facts=tuple(sorted(publications)))


def _suite_stale(manifest: Manifest, evidence: Evidence) -> Measured:
    """Products with a file whose newest report is by another suite than the dataset's newest run or check."""
    unchecked = _unchecked(manifest, evidence)
    stale: list[Reason] = []
    for product in manifest.products:
        last = evidence.newest(product.dataset)
        current = last.text("suite_digest") if last else product.suite_digest
        newest = [evidence.report(product, file) for file in product.files]
        if any(r is not None and r.text("suite_digest") != current for r in newest):
            positions = (last.position,) if last else ()
            stale.append(Reason("suite_stale", {"dataset": product.dataset}, positions))
    return Measured(None if unchecked else len(stale), (*unchecked, *stale))


def _freshness_broken(manifest: Manifest, evidence: Evidence) -> Measured:
    """Products without a held freshness check of exactly what they hold, or whose dataset was found stale since."""
    reasons = [r for p in manifest.products if (r := _freshness(p, evidence)) is not None]
    return Measured(len(reasons), tuple(reasons))


def _freshness(product: TableVersion, evidence: Evidence) -> Reason | None:
    files = {file.sha256 for file in product.files}
    checks: list[tuple[Record, list[dict[str, Any]]]] = []
    for record in evidence.reports(product.dataset):
        covers = files.issubset(record.digests)
        if (covers or not checks) and (timed := timed_checks(record)):
            checks.append((record, timed))
            if covers:
                break
    else:
        return Reason("freshness_unchecked", {"dataset": product.dataset})
    # NOTE: a newer version of the dataset that is stale already leaves no doubt about an older one.
    for record, timed in (checks[-1], checks[0]):
        if any(c.get("outcome") != "held" for c in timed):
            return stale_reason(product.dataset, record)
    return None


def timed_checks(report: Record) -> list[dict[str, Any]]:
    """The checks of a report that ask how old published data is."""
    return [check for check in report.objects("checks") if check.get("scope") == "published"]


def stale_reason(dataset: str, report: Record) -> Reason:
    """That a report found a dataset out of date."""
    return Reason("freshness_not_held", {"dataset": dataset, "on": _judged_on(report)}, (report.position,))


def _sources_unlicensed(manifest: Manifest, evidence: Evidence) -> Measured:
    reasons = []
    for entry in manifest.inputs:
        history = evidence.published(entry.dataset)
        made = next((r for r in history if r.text("snapshot_id") == str(entry.snapshot_id)), None)
        if made is None or not made.text("licence").strip():
            positions = (made.position,) if made else ()
            reasons.append(Reason("source_unlicensed", {"dataset": entry.dataset}, positions))
    return Measured(len(reasons), tuple(reasons))


def _kpi(kpi: str, manifest: Manifest, evidence: Evidence, charter: Charter) -> Measured:
    """The newest observation on this release, of the KPI as the charter defines it today."""
    defined = charter.kpi(kpi)
    definition = defined.definition if defined is not None else None
    otherwise: tuple[int, ...] = ()
    for record in evidence.observations(kpi, manifest.digest):
        if record.text("definition") == definition:
            return Measured(number(record.predicate, "value"), facts=(record.position,))
        otherwise = otherwise or (record.position,)
    because = "kpi_otherwise" if otherwise else "kpi_unobserved"
    return Measured(None, (Reason(because, {"kpi": kpi}, otherwise),))


_MEASURES: dict[str, Callable[[Manifest, Evidence], Measured]] = {
    "checks.broken": _checks_broken,
    "quarantine.share": _quarantine_share,
    "suite.stale": _suite_stale,
    "freshness.broken": _freshness_broken,
    "sources.unlicensed": _sources_unlicensed,
    "personal.unclassified": personal_unclassified,
}
