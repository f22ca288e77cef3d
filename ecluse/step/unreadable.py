"""Lines that could not be read: how they stand in quarantine, and when a later run makes them outdated."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from sqlalchemy import select

from ecluse.engine import literal, quote
from ecluse.model.names import ALL, BROKE, ORIGIN, RUN, quarantine_name
from ecluse.step.resolved import FILE, files_of
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.store.schema import publications
from ecluse.warehouse import Candidate

#: The name under which lines that could not be read appear among the broken promises.
REJECTED = "readable_line"


def outdated(state: State, services: Services, partitions: Collection[str | None]) -> str | None:
    """The condition of the unreadable lines in quarantine that a run over partitions makes outdated; ``None`` for none.

    Which partition a line belongs to, nobody can read. It makes room where the same bytes are read again, and bring it
    again, or where all partitions are computed anew that its own run computed.
    """
    warehouse, table = services.warehouse, quarantine_name(state.definition.name)
    head = warehouse.head(table)
    if state.collection is None or head is None:
        return None
    lines, held = f"{BROKE} = {literal(REJECTED)}", warehouse.scan(table, head, {None})
    marks = ", ".join(literal(raw.mark) for raw in state.collection.inputs)
    again = f"coalesce(split_part({quote(ORIGIN)}, ':', 1) IN ({marks}), false)"
    runs = [run for (run,) in state.engine.rows(f"SELECT DISTINCT {RUN} FROM {held} WHERE {lines} AND NOT {again}")]
    over = [run for run, computed in _computed(services, runs) if computed and computed <= {*partitions}]
    condition = f"{lines} AND ({again} OR coalesce({RUN} IN ({', '.join(map(literal, over)) or 'NULL'}), false))"
    found = state.engine.scalar(f"SELECT count(*) FROM {held} WHERE {condition}")
    return condition if found else None


def without(
    state: State, services: Services, candidate: Candidate, condition: str | None
) -> tuple[frozenset[str], str | None]:
    """The data files of the quarantine in which lines of a condition lie, and a query of what else lies there."""
    if condition is None:
        return frozenset(), None
    located, paths = services.warehouse.scan_located(candidate, FILE, parts=frozenset({None}))
    touched = files_of(state, f"SELECT {FILE} FROM {located} WHERE {condition}", paths)
    some, _ = services.warehouse.scan_located(candidate, FILE, only=touched)
    return touched, f"SELECT * EXCLUDE ({FILE}) FROM {some} WHERE NOT ({condition})"


def _computed(services: Services, runs: Iterable[str]) -> Iterable[tuple[str, set[str]]]:
    """The partitions that each run computed, as the index of publications says; none for a run that it doesn't know."""
    query = select(publications.c.run_id, publications.c.result).where(publications.c.run_id.in_([*runs]))
    with services.database.reading() as connection:
        for run, text in connection.execute(query):
            said = json.loads(text)
            # NOTE: its unreadable lines lie in none.
            yield run, {*said["partitions"], *said.get("held", ())} - {ALL}
