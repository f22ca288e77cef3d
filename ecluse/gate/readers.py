"""Who asks: the reader's roles of today, and the grants that they carry for a dataset and a purpose."""

from __future__ import annotations

from datetime import date

from ecluse.gate.book import Fields
from ecluse.model.charter import Charter, Grant, Party
from ecluse.model.verdict import Reason, Request


def covers(pattern: str, dataset: str) -> bool:
    """Whether a pattern of the charter (``*`` ends a prefix) names a dataset.

    >>> covers("products.*", "products.delays"), covers("clean", "clean.a")
    (True, False)
    """
    return dataset.startswith(pattern[:-1]) if pattern.endswith("*") else dataset == pattern


def valid_grants(charter: Charter, reader: str | None, dataset: str, purpose: str, day: date) -> tuple[Grant, ...]:
    """The grants by which a reader may read a dataset for a purpose on ``day``, in the charter's order.

    A grant of a role that asks for a training which the reader lacks shows nothing, whatever other roles they hold.
    """
    party = charter.party(reader or "")
    held = held_grants(charter, reader, dataset, purpose, day)
    return tuple(g for g in held if party is not None and not charter.untrained(party, g.role, day))


def held_grants(charter: Charter, reader: str | None, dataset: str, purpose: str, day: date) -> tuple[Grant, ...]:
    """The grants of the roles that a reader holds on ``day``, trained for them or not.

    ``until`` is the first day without the grant, as it is for a role.
    """
    party = charter.party(reader or "")
    if party is None:
        return ()
    roles = {role.name for role in party.roles if role.held(day)}
    return tuple(g for g in _about(charter, dataset, purpose) if g.role in roles and _runs(g, day))


def reader_reasons(request: Request, charter: Charter, day: date) -> list[Reason]:
    """Why the reader may not read this dataset for this purpose today; empty where a grant says yes."""
    fields: Fields = {"dataset": request.dataset, "purpose": request.purpose}
    party = charter.party(request.reader or "")
    if party is None:
        return [Reason("reader_unknown", fields | {"reader": request.reader or "?"})]
    if held := held_grants(charter, party.id, request.dataset, request.purpose, day):
        return _untrained(charter, party, held, day)
    about = _about(charter, request.dataset, request.purpose)
    return _ended(party, about, day, fields | {"reader": party.id}) or [
        Reason("reader_without_grant", fields | {"reader": party.id, "roles": _roles(party, day)})
    ]


def _untrained(charter: Charter, party: Party, held: tuple[Grant, ...], day: date) -> list[Reason]:
    """The trainings that are missing, where no grant is of a role for which the reader is trained."""
    missing = {grant.role: charter.untrained(party, grant.role, day) for grant in held}
    if not all(missing.values()):
        return []
    return [
        Reason("reader_untrained", {"reader": party.id, "role": role, "training": t.id, "description": t.description})
        for role, trainings in missing.items()
        for t in trainings
    ]


def _ended(party: Party, about: tuple[Grant, ...], day: date, fields: Fields) -> list[Reason]:
    """What the reader once could rely on: grants that ended, and roles that ended."""
    reasons = []
    for grant in about:
        held = [role for role in party.roles if role.name == grant.role]
        if held and not _runs(grant, day):
            until = grant.until.isoformat() if grant.until else "?"
            reasons.append(Reason("grant_expired", fields | {"role": grant.role, "until": until}))
        for role in held:
            if not any(other.held(day) for other in held):
                key = "reader_role_future" if role.since > day else "reader_role_ended"
                on = role.since if role.since > day else role.until
                reasons.append(Reason(key, fields | {"role": role.name, "on": on.isoformat() if on else "?"}))
    return reasons


def _about(charter: Charter, dataset: str, purpose: str) -> tuple[Grant, ...]:
    return tuple(g for g in charter.grants if purpose in g.purposes and any(covers(d, dataset) for d in g.datasets))


def _runs(grant: Grant, day: date) -> bool:
    return grant.until is None or day < grant.until


def _roles(party: Party, day: date) -> str:
    return ", ".join(sorted({role.name for role in party.roles if role.held(day)})) or "-"
