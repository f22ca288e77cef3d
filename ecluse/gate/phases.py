"""The phases: the one that is asked for must not lie ahead, and none before it may have been skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ecluse.gate.approvals import Answer, fill
from ecluse.gate.book import Book, Record, moment
from ecluse.gate.criteria import judge_criteria
from ecluse.gate.evidence import Evidence
from ecluse.gate.releases import FoundRelease, find_release
from ecluse.model.charter import Charter, Gate
from ecluse.model.verdict import Reason, Request


def phase_reasons(request: Request, charter: Charter, book: Book) -> list[Reason]:
    """Why the phase isn't open to any data."""
    if charter.gate(request.phase) is None:
        return [Reason("gate_unknown", {"phase": request.phase, "known": ", ".join(charter.phases)})]
    if charter.phases.index(request.phase) > charter.phases.index(charter.phase):
        return [Reason("phase_ahead", {"phase": request.phase, "current": charter.phase})]
    before = charter.phases[: charter.phases.index(request.phase)]
    skipped = [phase for phase in before if not passed(phase, charter, book, request)]
    return [Reason("phase_skipped", {"phase": request.phase, "skipped": phase}) for phase in skipped]


def passed(phase: str, charter: Charter, book: Book, request: Request) -> bool:
    """Whether some release once stood in a phase with everything that its gate asks for today.

    The facts are those of that day: an answer that has expired since, and a release that was withdrawn since, did get
    the project past the phase. A gate that asks for nobody holds nobody up.
    """
    gate = charter.gate(phase)
    if gate is None or not gate.approvals:
        return gate is not None
    return any(_met(gate, charter, book, request, release) for release in _approved_in(phase, book))


def _approved_in(phase: str, book: Book) -> Iterator[str]:
    """The releases to which somebody said yes in a phase, the newest answer first."""
    seen: set[str] = set()
    for record in book.newest_first("decision", verdict="approved", phase=phase):
        for sha256 in sorted({*record.digests} - seen):
            seen.add(sha256)
            yield sha256


def _met(gate: Gate, charter: Charter, book: Book, request: Request, release: str) -> bool:
    found = find_release(replace(request, release=release, version=None, phase=gate.phase), charter, book)
    if found.manifest is None or any(r.key in ("release_elsewhere", "release_unattested") for r in found.reasons):
        return False
    asked = replace(request, release=release, dataset=found.manifest.products[0].dataset, phase=gate.phase)
    decisions = [record for record in book.about("decision", release) if record.here]
    answers = [a for record in decisions for a in _answers(record, asked, found)]
    filled = fill(gate, answers, charter)
    if filled.reasons:
        return False
    last = max((answer.record for one in filled.judged for answer in one.answers), key=lambda r: r.position)
    evidence = Evidence(book, last.position)
    return not judge_criteria(asked, charter, found, book.before(last.position), evidence, last.at).reasons


def _answers(record: Record, asked: Request, found: FoundRelease) -> list[Answer]:
    """The yeses that counted on their own day."""
    expires = moment(record.predicate, "expires")
    said = (record.text("verdict"), record.text("phase")) == ("approved", asked.phase)
    if not said or not record.about(asked.release) or expires is None or expires <= record.at:
        return []
    return [Answer(record, party) for party in record.parties if party.id not in found.producers]
