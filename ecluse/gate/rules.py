"""The usage rules that bind a reader, and whether they were acknowledged in the version that stands."""

from __future__ import annotations

from ecluse.gate.book import Book, number
from ecluse.model.charter import Charter, Party, Rule
from ecluse.model.verdict import Reason, Request


def rule_reasons(request: Request, charter: Charter, book: Book) -> list[Reason]:
    """Each rule for the purpose that the reader, or who answers for it, hasn't acknowledged as it stands today."""
    reader = charter.party(request.reader or "")
    if reader is None:
        # NOTE: who isn't known can't have acknowledged anything, and is refused for that already.
        return []
    missing = [r for r in charter.rules if r.binds(request.purpose) and not acknowledged(r, reader, book)]
    by = {"reader": reader.id}
    return [Reason("rule_unacknowledged", {**by, "rule": r.id, "version": r.version, "text": r.text}) for r in missing]


def acknowledged(rule: Rule, reader: Party, book: Book) -> bool:
    """Whether a reader, or who answers for one, acknowledged a rule in the version that stands."""
    bound = {reader.id, reader.responsible} - {""}
    return any(
        number(record.predicate, "version") == rule.version
        and record.about(rule.digest)
        and bound & {party.id for party in record.parties}
        for record in book.newest_first("decision", verdict="acknowledged", rule=rule.id)
    )
