"""What stands between a release and a phase: its gate judged as if the project were in that phase already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter

from ecluse.gate.approvals import JudgedApproval
from ecluse.gate.book import Book, Record, utc
from ecluse.gate.releases import stated_manifest
from ecluse.gate.verdict import Judgement, judge_release
from ecluse.model.charter import Approval, Charter
from ecluse.model.latest import latest
from ecluse.model.release import Manifest
from ecluse.model.verdict import Request


@dataclass(frozen=True)
class Plan:
    """A release before the gate of a phase; ``able`` says who may give each approval that is missing, today."""

    manifest: Manifest
    phase: str
    judged: Judgement
    able: Mapping[Approval, tuple[str, ...]]

    @property
    def met(self) -> bool:
        """Whether nothing stands in between."""
        return not self.judged.reasons


def plan(phase: str, manifest: Manifest, charter: Charter, book: Book, now: datetime) -> Plan:
    """What a release still needs for a phase."""
    judged = judge_in(phase, manifest, charter, book, now)
    lacking = [one for one in judged.approvals.judged if one.missing]
    return Plan(
        manifest, phase, judged, {one.approval: _able(one, judged, charter, utc(now).date()) for one in lacking}
    )


def _able(approval: JudgedApproval, judged: Judgement, charter: Charter, today: date) -> tuple[str, ...]:
    """Who may give a missing answer: has the role and its trainings, made no part of it, and answers nothing else."""
    taken = {answer.who for one in judged.approvals.judged for answer in one.answers}
    return tuple(
        party.id
        for party in charter.parties
        if not party.attests
        and party.id not in taken | judged.release.producers
        and any(role.name == approval.approval.role and role.held(today) for role in party.roles)
        and not charter.untrained(party, approval.approval.role, today)
    )


def next_phase(charter: Charter) -> str:
    """The phase after the project's own; the last one stays."""
    place = charter.phases.index(charter.phase)
    return charter.phases[min(place + 1, len(charter.phases) - 1)]


def judge_in(phase: str, manifest: Manifest, charter: Charter, book: Book, now: datetime) -> Judgement:
    """A release held against the gate of a phase, which may lie ahead."""
    request = Request(
        dataset=manifest.products[0].dataset if manifest.products else "",
        version=manifest.version,
        release=manifest.digest,
        purpose="",
        reader=None,
        phase=phase,
        project=manifest.project,
        environment=manifest.environment,
    )
    # NOTE: only what the gate asks is wanted here, and not that the charter doesn't name the phase yet.
    there = replace(charter, phase=phase) if charter.gate(phase) is not None else charter
    return judge_release(request, there, book, utc(now))


def newest_releases(book: Book) -> list[tuple[Record, Manifest]]:
    """The latest release of each set of products that was released here, and the newest where it is another one.

    The oldest stands first.
    """
    sets: dict[tuple[str, ...], dict[str, Record]] = {}
    read: dict[int, Manifest] = {}
    for record in _released(book):
        manifest = _manifest(record, book)
        if manifest is not None:
            read[record.position] = manifest
            # NOTE: a release that was stated twice is as old as its first statement.
            same = sets.setdefault(tuple(sorted(p.dataset for p in manifest.products)), {})
            same.setdefault(manifest.digest, record)
    found: dict[int, Record] = {}
    for products, stated in sets.items():
        records = [*stated.values()]
        for one in (latest(_in_order([*records, *book.decisions]), products), records[-1]):
            found |= {} if one is None else {one.position: one}
    return [(record, read[record.position]) for record in _in_order(found.values())]


def latest_release(dataset: str, book: Book) -> Manifest | None:
    """The release that a reader of a dataset gets who names no version."""
    record = latest(_in_order([*_released(book), *book.decisions]), [dataset])
    return None if record is None else _manifest(record, book)


def _manifest(record: Record, book: Book) -> Manifest | None:
    return next((m for sha256 in record.digests if (m := stated_manifest(record, sha256, book)) is not None), None)


def _released(book: Book) -> list[Record]:
    return [record for record in book.of_kind("release") if record.here and record.attested("release")]


def _in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=attrgetter("position"))
