"""Standing answers: a yes to one release and to the patch releases after it, which then open by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ecluse.gate.book import Book, Record, moment
from ecluse.gate.criteria import JudgedCriteria
from ecluse.gate.releases import releases_of, stated_manifest
from ecluse.model.charter import Gate
from ecluse.model.latest import semantic
from ecluse.model.release import Manifest


def patch_objections(
    record: Record, gate: Gate, manifest: Manifest, book: Book, criteria: JudgedCriteria
) -> Iterator[tuple[str, dict[str, str | int]]]:
    """What speaks against counting a standing answer about an earlier release for this one, with its fields."""
    expires = moment(record.predicate, "expires")
    if expires is not None and expires > record.at + timedelta(days=gate.standing_days):
        yield "standing_long", {"days": gate.standing_days}
    before = looked_at(record, book)
    if before is None or not _patch_of(before, manifest):
        yield "standing_beyond", {"release": record.names}
    elif stopped := _stopped(before, record, book):
        yield "standing_stopped", {"release": stopped}
    if not criteria.green:
        unmet = ", ".join(one.criterion.id for one in criteria.judged if not one.met)
        yield "standing_unmet", {"release": record.names, "criteria": unmet}


def looked_at(record: Record, book: Book) -> Manifest | None:
    """The release that an answer is about, as somebody attested it here."""
    told = releases_of(record, book)
    attested = [(release, sha256) for release, sha256 in told if release.here and release.attested("release")]
    first = min(attested, key=lambda one: one[0].position, default=None)
    return stated_manifest(*first, book) if first is not None else None


def _patch_of(before: Manifest, after: Manifest) -> bool:
    """Whether only the data is new: a later third number, and the same products by the same contracts and suites."""
    one, other = semantic(before.version), semantic(after.version)
    if not one or not other or one[:2] != other[:2] or other[2] <= one[2]:
        return False
    return _promised(before) == _promised(after)


def _promised(manifest: Manifest) -> list[tuple[str, str, str]]:
    return sorted((p.dataset, p.contract_digest, p.suite_digest) for p in manifest.products)


def _stopped(before: Manifest, yes: Record, book: Book) -> str:
    """The release that a no is about: the one that was looked at, or since then a patch of it; empty without a no.

    Any party may say no, as to any release; who looked at it then says yes anew.
    """
    noes = [no for verdict in ("withdrawn", "rejected") for no in book.newest_first("decision", verdict=verdict)]
    for record in noes:
        if not record.parties:
            continue
        if record.about(before.digest):
            return record.names
        other = looked_at(record, book) if record.position > yes.position else None
        if other is not None and _patch_of(before, other):
            return record.names
    return ""
