"""Run again: what the run before left in quarantine makes room, so that no row is held there twice."""

from __future__ import annotations

from sqlalchemy import select

from ecluse.engine import literal
from ecluse.model.names import RUN
from ecluse.step.resolved import FILE, files_of
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.store.schema import publications
from ecluse.warehouse import Candidate, Change


def add_once(state: State, services: Services, candidate: Candidate, sql: str) -> Candidate:
    """Add rows to the quarantine, in place of those that an earlier run of the very same left there.

    A step is computed again where its rows no longer stand as it wrote them: a later merge took some of them along.
    """
    warehouse, partition = services.warehouse, candidate.partition
    with services.database.reading() as connection:
        earlier = connection.execute(select(publications.c.run_id).where(publications.c.key == state.key)).scalar()
    located, paths = warehouse.scan_located(candidate, FILE, parts=frozenset({partition}))
    left = f"{RUN} = {literal(earlier)}"
    touched = files_of(state, f"SELECT {FILE} FROM {located} WHERE {left}", paths) if earlier and paths else frozenset()
    if not touched:
        return warehouse.write(state.engine, candidate, sql, "append")
    some, _ = warehouse.scan_located(candidate, FILE, only=touched)
    others = f"SELECT * EXCLUDE ({FILE}) FROM {some} WHERE NOT coalesce({left}, false)"
    change = Change(
        added={partition: sql}, carried={partition: others}, removed=touched, looks_at=frozenset({partition})
    )
    return warehouse.change(state.engine, candidate, change, "merge")


def replaced_rows(quarantine: Candidate | None) -> int:
    """How many rows of the quarantine made room for rows that were added."""
    if quarantine is None:
        return 0
    return sum(file.rows for file in quarantine.removed) - sum(file.rows for file in quarantine.carried)
