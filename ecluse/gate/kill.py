"""The kill criterion: while it is met, nothing opens."""

from __future__ import annotations

from ecluse.gate.book import Book, Record, number
from ecluse.gate.criteria import holds, shown, wanted
from ecluse.model.charter import Charter, Kill
from ecluse.model.verdict import Reason
from ecluse.texts import LANGUAGES


def kill_reasons(charter: Charter, book: Book) -> tuple[list[Reason], list[Reason]]:
    """The reason to refuse where the kill criterion is met, and the warning where nothing was measured that tells."""
    kill = charter.kill_criterion
    if kill is None:
        return [], []
    newest = observed_releases(charter, book, kill.kpi, kill.releases)
    if not newest:
        return [], [Reason("kill_unmeasured", {"kpi": kill.kpi, "description": kill.description})]
    values = [number(record.predicate, "value") for record in newest]
    if len(newest) < kill.releases or not all(value is not None and holds(kill, value) for value in values):
        return [], []
    return [_killed(kill, newest, [value for value in values if value is not None])], []


def observed_releases(charter: Charter, book: Book, kpi: str, most: int | None = None) -> list[Record]:
    """The newest attested observation of a KPI on each release, of the KPI as it is defined today, the newest last.

    With ``most``, only of so many releases, the newest.
    """
    defined = charter.kpi(kpi)
    definition = defined.definition if defined is not None else None
    found: dict[tuple[str, ...], Record] = {}
    for record in book.newest_observations():
        if len(found) == most:
            break
        if record.text("kpi") == kpi and record.text("definition") == definition:
            found.setdefault(tuple(sorted(record.digests)), record)
    return list(found.values())[::-1]


def _killed(kill: Kill, newest: list[Record], values: list[float]) -> Reason:
    fields: dict[str, str | int | float] = {"description": kill.description, "kpi": kill.kpi}
    fields |= {f"wanted_{lang}": wanted(kill, lang) for lang in LANGUAGES}
    fields |= {f"shown_{lang}": "; ".join(shown(kill, value, lang) for value in values) for lang in LANGUAGES}
    return Reason("killed", fields, tuple(record.position for record in newest))
