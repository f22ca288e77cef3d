"""What stands between a release and a phase: its gate judged as if the project were in that phase already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from ecluse.gate.approvals import JudgedApproval
from ecluse.gate.book import Book, Record, utc
from ecluse.gate.releases import stated_manifest
from ecluse.gate.verdict import Judgement, judge_release
from ecluse.model.charter import Approval, Charter
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
    """The newest release of each set of products that was released here, the oldest first."""
    found: dict[tuple[str, ...], tuple[Record, Manifest]] = {}
    for record in book.of_kind("release"):
        read = next((m for sha256 in record.digests if (m := stated_manifest(record, sha256, book)) is not None), None)
        if read is None or not record.here or not record.attested("release"):
            continue
        products = tuple(sorted(p.dataset for p in read.products))
        if products in found and found[products][1].digest == read.digest:
            continue
        found.pop(products, None)
        found[products] = (record, read)
    return list(found.values())
