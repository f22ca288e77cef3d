"""The one hatch: published data that no release opens, for who is granted to look at it before people decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ecluse.gate.book import Book, Record, utc
from ecluse.gate.evidence import Evidence
from ecluse.gate.kill import kill_reasons
from ecluse.gate.personal import columns_with_findings
from ecluse.gate.readers import covers, reader_reasons
from ecluse.gate.releases import releases_of, stated_manifest
from ecluse.gate.rules import rule_reasons
from ecluse.gate.verdict import age_reasons, once, purpose_reasons, review_reasons
from ecluse.model.charter import UNRELEASED, Charter, Grant
from ecluse.model.facts import SignedFact
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request, Verdict


def asks_unreleased(phase: str | None, charter: Charter) -> bool:
    """Whether a request is for the hatch; in a charter with a phase of that name, it is for that phase."""
    return phase == UNRELEASED and phase not in charter.phases


def unreleased_verdict(
    request: Request,
    manifest: Manifest | None,
    charter: Charter,
    facts: Sequence[SignedFact],
    now: datetime,
    *,
    trust: Mapping[str, str],
) -> Verdict:
    """Whether ``request`` may look at what ``manifest`` says is published, and every reason why not.

    No approval and no criterion is asked for. The purpose, the kill criterion, the log's age, the reader's grants,
    trainings and rules count as ever, each file must have been published by who may, and what somebody withdrew stays
    closed under whatever name.
    """
    now = utc(now)
    book = Book(charter, facts, trust, request.project, request.environment)
    allowed = charter_of_hatch(charter)
    reasons = [
        *purpose_reasons(request, charter),
        *kill_reasons(charter, book)[0],
        *age_reasons(charter, book, now),
        *_published(request, manifest, book),
        *_withdrawn(request, manifest, book),
        *_hatch(request, allowed.grants),
        *reader_reasons(request, allowed, now.date()),
        *rule_reasons(request, charter, book),
    ]
    warnings = [Reason("loaded_unreleased", {"dataset": request.dataset})]
    if not request.authenticated:
        warnings.append(Reason("reader_unauthenticated", {"reader": request.reader or "?"}))
    return Verdict(once(reasons), once([*warnings, *review_reasons(charter, now.date())]))


def charter_of_hatch(charter: Charter) -> Charter:
    """The charter with those grants only that reach unreleased data, each with people masked."""
    return replace(charter, grants=tuple(_masked(grant) for grant in charter.grants if grant.unreleased))


def found_personal(
    dataset: str, manifest: Manifest, charter: Charter, facts: Sequence[SignedFact], trust: Mapping[str, str]
) -> frozenset[str]:
    """The columns of published data in which personal data was found, whatever they are classified as."""
    book = Book(charter, facts, trust, manifest.project, manifest.environment)
    return columns_with_findings(manifest.product(dataset), Evidence(book))


def _masked(grant: Grant) -> Grant:
    """A grant under which nobody is shown clearly."""
    columns = {
        kind: "pseudonym" if way == "clear" and kind in ("personal", "sensitive") else way
        for kind, way in grant.columns.items()
    }
    return replace(grant, columns=columns)


def _published(request: Request, manifest: Manifest | None, book: Book) -> list[Reason]:
    if manifest is None or request.release != manifest.digest:
        return [Reason("nothing_published", {"dataset": request.dataset})]
    if (manifest.project, manifest.environment) != (request.project, request.environment):
        return [Reason("nothing_published", {"dataset": request.dataset})]
    product = next((p for p in manifest.products if p.dataset == request.dataset), None)
    if product is None or not product.files:
        return [Reason("nothing_published", {"dataset": request.dataset})]
    evidence = Evidence(book)
    unknown = sum(1 for file in product.files if not evidence.publications(product, file))
    fields: dict[str, str | int | float] = {"dataset": request.dataset, "files": unknown}
    return [Reason("files_unpublished", fields)] if unknown else []


def _withdrawn(request: Request, manifest: Manifest | None, book: Book) -> list[Reason]:
    """Withdrawals of releases that hold rows of what is published: no other name and no other files bring them back.

    Files that were put together hold the rows of those that they were made from.
    """
    if manifest is None:
        return []
    evidence = Evidence(book)
    published = {sha256 for p in manifest.products if p.dataset == request.dataset for sha256 in evidence.rows_of(p)}
    withdrawn = [d for d in book.newest_first("decision", verdict="withdrawn") if d.parties]
    return [
        _objection(decision)
        for decision in reversed(withdrawn)
        if any(published & evidence.rows_of(p) for m in _named(decision, book) for p in m.products)
    ]


def _named(decision: Record, book: Book) -> Iterator[Manifest]:
    """The releases that a decision is about."""
    told = (stated_manifest(release, sha256, book) for release, sha256 in releases_of(decision, book))
    return (manifest for manifest in told if manifest is not None)


def _objection(decision: Record) -> Reason:
    fields: dict[str, str | int | float] = {
        "party": decision.parties[0].id,
        "on": decision.day.isoformat(),
        "why": decision.text("reason"),
    }
    return Reason("withdrawn", fields, (decision.position,))


def _hatch(request: Request, grants: Sequence[Grant]) -> list[Reason]:
    about = [g for g in grants if request.purpose in g.purposes and any(covers(d, request.dataset) for d in g.datasets)]
    fields: dict[str, str | int | float] = {"dataset": request.dataset, "purpose": request.purpose}
    return [] if about else [Reason("unreleased_not_allowed", fields)]
