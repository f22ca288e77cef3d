"""The release that is asked for: whether it exists, who stands behind it, and who stopped it."""

from __future__ import annotations

from dataclasses import dataclass

from ecluse.gate.book import Book, Fields, Record
from ecluse.model.charter import Charter
from ecluse.model.release import Manifest
from ecluse.model.verdict import Reason, Request


@dataclass(frozen=True)
class FoundRelease:
    """A release's manifest and the parties that made it, or the reasons why there is none.

    Who is ``responsible`` for a service made what the service made.
    """

    manifest: Manifest | None
    producers: frozenset[str]
    reasons: tuple[Reason, ...]


def find_release(request: Request, charter: Charter, book: Book) -> FoundRelease:
    """The manifest whose SHA-256 the request names, as the log holds it."""
    fields: Fields = {"dataset": request.dataset, "version": request.version or "?"}
    stated = book.about("release", request.release) if request.release else []
    read = [(r, found) for r in stated if (found := stated_manifest(r, request.release, book)) is not None]
    if not read:
        return FoundRelease(None, frozenset(), (_missing(request, book),))
    manifest = read[-1][1]
    positions = tuple(record.position for record, _ in read)
    reasons = []
    if request.dataset not in [p.dataset for p in manifest.products]:
        held = ", ".join(p.dataset for p in manifest.products)
        reasons.append(Reason("release_without_dataset", fields | {"datasets": held}, positions))
    if request.version is not None and request.version != manifest.version:
        reasons.append(Reason("release_other_version", fields | {"found": manifest.version}, positions))
    if (manifest.project, manifest.environment) != (request.project, request.environment) or not any(
        record.here for record, _ in read
    ):
        elsewhere: Fields = {"project": manifest.project, "environment": manifest.environment}
        wanted: Fields = {"wanted_project": request.project, "wanted_environment": request.environment}
        reasons.append(Reason("release_elsewhere", fields | elsewhere | wanted, positions))
    if not any(record.attested("release") for record, _ in read if record.here):
        reasons.append(Reason("release_unattested", fields, positions))
    made = {manifest.producer, *(party.id for record, _ in read for party in record.parties)}
    answering = {party.responsible for party in charter.parties if party.id in made} - {""}
    return FoundRelease(manifest, frozenset(made | answering), tuple(reasons))


def _missing(request: Request, book: Book) -> Reason:
    """That there is no such release; a dataset may have been released, and not together with what else is asked for."""
    if request.release is None and _was_released(request, book):
        return Reason("release_apart", {"dataset": request.dataset})
    if request.version is None:
        return Reason("release_none", {"dataset": request.dataset})
    return Reason("release_missing", {"dataset": request.dataset, "version": request.version or "?"})


def _was_released(request: Request, book: Book) -> bool:
    named = (str(s.name) for r in book.of_kind("release") if r.here for s in r.subjects)
    if request.version is None:
        return any(name.startswith(f"{request.dataset}@") for name in named)
    return f"{request.dataset}@{request.version}" in named


def releases_of(decision: Record, book: Book) -> list[tuple[Record, str]]:
    """The facts of the releases that a decision is about, each with the digest by which it names it."""
    return [(release, sha256) for sha256 in decision.digests for release in book.about("release", sha256)]


def earlier_releases(request: Request, manifest: Manifest, book: Book, count: int) -> list[tuple[int, Manifest]]:
    """At most so many attested releases of the same products before this one, the newest first, with their positions.

    A version that was released again under other bytes is not another release; a withdrawn one counts as it is.
    """
    products = sorted(p.dataset for p in manifest.products)
    this = book.first("release", request.release or "")
    found: list[tuple[int, Manifest]] = []
    for record in book.newest_first("release"):
        if len(found) == count or this is None:
            break
        stated = [s for s in record.digests if book.first("release", s) == record.position < this]
        if not stated or not record.attested("release"):
            continue
        read = next((m for sha256 in stated if (m := stated_manifest(record, sha256, book)) is not None), None)
        if read is not None and sorted(p.dataset for p in read.products) == products:
            found.append((record.position, read))
    return found


def stated_manifest(record: Record, sha256: str | None, book: Book) -> Manifest | None:
    """The manifest in a release fact, where its digest is the one that the fact is about."""
    asked = (id(record), sha256)
    if asked not in book.manifests:
        book.manifests[asked] = _read(record, sha256)
    return book.manifests[asked]


def _read(record: Record, sha256: str | None) -> Manifest | None:
    try:
        manifest = Manifest.from_json(record.predicate["manifest"])
        texts = [manifest.version, manifest.producer, manifest.project, manifest.environment]
        texts += [t for p in manifest.products for t in (p.dataset, p.contract_digest, p.suite_digest)]
        texts += [t for p in manifest.products for f in p.files for t in (f.path, f.sha256)]
        texts += [i.dataset for i in manifest.inputs]
        return manifest if all(isinstance(t, str) for t in texts) and manifest.digest == sha256 else None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def standing_objections(request: Request, charter: Charter, book: Book) -> list[Reason]:
    """Who withdrew or rejected the release.

    Any party of the charter may stop a release; only those whom a gate asks may open it. A withdrawal stands for
    ever. A rejection stands in its phase and the later ones, until the same party approves the same question in the
    same phase.
    """
    decisions = [r for r in book.about("decision", request.release) if r.here and r.parties]
    reasons = []
    for record in decisions:
        fields: Fields = {
            "on": record.day.isoformat(),
            "why": record.text("reason"),
            "question": record.text("question"),
            "phase": record.text("phase"),
        }
        for party in record.parties:
            by = fields | {"party": party.id}
            if record.text("verdict") == "withdrawn":
                reasons.append(Reason("withdrawn", by, (record.position,)))
            elif record.text("verdict") == "rejected" and _stands(record, party.id, decisions, request, charter):
                reasons.append(Reason("rejected", by, (record.position,)))
    return reasons


def _stands(record: Record, party: str, decisions: list[Record], request: Request, charter: Charter) -> bool:
    phases = charter.phases
    named = record.text("phase")
    if named in phases and request.phase in phases and phases.index(named) > phases.index(request.phase):
        return False
    return not any(
        later.position > record.position
        and later.text("verdict") == "approved"
        and (later.text("question"), later.text("phase")) == (record.text("question"), named)
        and party in [p.id for p in later.parties]
        for later in decisions
    )
