"""A project opened for reading: no key is needed, and nothing is signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecluse.charterfile import load_charter
from ecluse.errors import DefinitionError
from ecluse.ledger import Log, Trust, trust_of, with_local_keys
from ecluse.lineage import EventStore
from ecluse.model.charter import Charter
from ecluse.model.facts import SignedFact
from ecluse.project import Project
from ecluse.store import Database
from ecluse.warehouse import Warehouse

if TYPE_CHECKING:
    from ecluse.gate import Book
    from ecluse.step.services import Services


@dataclass(frozen=True)
class Reading:
    """One project's parts, without a signer."""

    project: Project
    charter: Charter
    trust: Trust
    database: Database
    warehouse: Warehouse
    log: Log
    events: EventStore

    def who(self, fact: SignedFact) -> str:
        """The parties that signed a fact."""
        return ", ".join(sorted(self.trust.parties().get(id, id[:12]) for id in fact.key_ids))


def book_of(
    project: Reading | Services, charter: Charter | None = None, facts: Sequence[SignedFact] | None = None
) -> Book:
    """The facts of the project's log as the gate reads them: every one, unless they were read already."""
    from ecluse.gate import Book

    where, charter = project.project, charter or project.charter
    known = list(project.log.facts()) if facts is None else facts
    return Book(charter, known, project.trust.parties(), where.name, where.environment)


def require_known(project: Reading, dataset: str) -> None:
    """Raise ``DefinitionError`` for a dataset that never ran here, and that no purpose of the charter names."""
    if project.warehouse.exists(dataset) or any(dataset in p.datasets for p in project.charter.purposes):
        return
    if any(signed.fact.predicate["dataset"] == dataset for signed in project.log.facts("run")):
        return
    known = ", ".join(name for name in project.warehouse.datasets() if not name.endswith("__quarantine"))
    raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=known or "–")


@contextmanager
def reading(project: Project, *, writable: bool = False) -> Iterator[Reading]:
    """Open a project for reading, and close it again.

    ``writable`` also lets what isn't signed be changed: candidates dropped, events marked as sent.
    """
    charter = with_local_keys(project, load_charter(project))
    trust = trust_of(charter)
    database = Database(project.database_url, read_only=True)
    if writable or (database.file is not None and not database.file.is_file()):
        # NOTE: a project that never ran has no database yet; it is made, and found empty.
        database = Database(project.database_url)
    try:
        yield Reading(
            project,
            charter,
            trust,
            database,
            Warehouse(project.warehouse, database),
            Log(database, trust),
            EventStore(database),
        )
    finally:
        database.close()
