"""What of a charter the layers above its model judge: keys, kinds of facts, row filters, statements of KPIs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ecluse.errors import DefinitionError
from ecluse.model.charter import Charter, Grant, Kpi, Party
from ecluse.model.coherence import Place
from ecluse.texts import say


def mistaken_parts(charter: Charter) -> Iterator[tuple[Place, str]]:
    """Each mistake with its place, in words; each would stop whoever came to use that part."""
    for number, party in enumerate(charter.parties):
        yield from _party(party, ("parties", number))
    for number, grant in enumerate(charter.grants):
        yield from _grant(grant, ("grants", number))
    for number, kpi in enumerate(charter.kpis):
        yield from _kpi(kpi, ("kpis", number))


def _party(party: Party, place: Place) -> Iterator[tuple[Place, str]]:
    from ecluse.ledger import key_id, kinds_of

    try:
        kinds_of(party)
    except DefinitionError as error:
        yield (*place, "attests"), _said(error)
    for number, key in enumerate(party.keys):
        try:
            key_id(key.public, key.scheme)
        except ValueError:
            said = DefinitionError("ledger.public_key", party=party.id, found=key.public[:80], scheme=key.scheme)
            yield (*place, "keys", number, "public"), _said(said)


def _grant(grant: Grant, place: Place) -> Iterator[tuple[Place, str]]:
    from ecluse.access import confirm_filter

    try:
        if grant.row_filter is not None:
            confirm_filter(grant.row_filter)
    except DefinitionError as error:
        yield (*place, "row_filter"), _said(error)


def _kpi(kpi: Kpi, place: Place) -> Iterator[tuple[Place, str]]:
    from ecluse.engine import Engine

    if not kpi.sql:
        return
    with Engine(threads=1) as engine:
        parsed = json.loads(engine.scalar("SELECT json_serialize_sql($1)", [kpi.sql]))
    where: Place = (*place, "sql")
    if parsed["error"]:
        yield where, say("model.charter.kpi_sql", kpi=kpi.id, problem=parsed["error_message"])
    elif (count := len(parsed["statements"])) != 1:
        yield where, say("model.charter.kpi_statements", kpi=kpi.id, count=count)


def _said(error: DefinitionError) -> str:
    """What was received and what is allowed; what to try is to correct that line."""
    return f"{error.part('received')} {say('errors.allowed')} {error.part('allowed')}"
