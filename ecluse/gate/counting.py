"""Which answers of people open something today: the approvals and waivers that a gate counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ecluse.gate.book import Book, moment, utc
from ecluse.gate.plan import judge_in
from ecluse.gate.releases import stated_manifest
from ecluse.model.charter import Charter
from ecluse.model.release import Manifest


def counting_answers(charter: Charter, book: Book, now: datetime) -> frozenset[int]:
    """The positions of the approvals and waivers that count now, each for its own release and phase."""
    found: set[int] = set()
    for phase, manifest in _asked(book, utc(now)):
        judged = judge_in(phase, manifest, charter, book, now)
        found |= {*judged.approvals.counted}
        found |= {position for waiver in judged.criteria.warnings for position in waiver.facts}
    return frozenset(found)


def _asked(book: Book, now: datetime) -> Iterator[tuple[str, Manifest]]:
    """Each release and phase of which somebody's yes hasn't expired, once."""
    told: set[tuple[str, str]] = set()
    for verdict in ("approved", "waived"):
        for record in book.newest_first("decision", verdict=verdict):
            expires = moment(record.predicate, "expires")
            if expires is None or expires <= now:
                continue
            for sha256 in record.digests:
                asked = (record.text("phase"), sha256)
                if asked not in told:
                    told.add(asked)
                    yield from ((asked[0], manifest) for manifest in _stated(sha256, book))


def _stated(sha256: str, book: Book) -> Iterator[Manifest]:
    for record in book.about("release", sha256):
        if (manifest := stated_manifest(record, sha256, book)) is not None:
            yield manifest
            return
