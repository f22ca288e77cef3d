"""What a step works with: the project's database, tables, log, events and keys, opened together."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecluse.charterfile import load_charter
from ecluse.ledger import Log, Signer, Trust, service_signer, signer_for, trust_of, with_local_keys
from ecluse.lineage.store import EventStore
from ecluse.model.charter import Charter
from ecluse.model.facts import Fact, Subject
from ecluse.project import Project
from ecluse.store import Database
from ecluse.warehouse import Warehouse

if TYPE_CHECKING:
    from typing import Any

    from ecluse.engine import Engine, Watch


@dataclass(frozen=True)
class Services:
    """One project's opened parts. Close it when done."""

    project: Project
    charter: Charter
    database: Database
    warehouse: Warehouse
    trust: Trust
    log: Log
    events: EventStore
    signer: Signer

    def close(self) -> None:
        """Give the database's connections back."""
        self.database.close()

    def fact(self, kind: str, subjects: tuple[Subject, ...], predicate: Mapping[str, Any]) -> Fact:
        """A fact of this project and environment, stated now."""
        return Fact(kind, subjects, dict(predicate), self.project.now(), self.project.name, self.project.environment)

    def engine(self, watch: Watch | None = None) -> Engine:
        """A new DuckDB engine that spills into the project's own folder; ``watch`` sees how far it is, and stops it."""
        from ecluse.engine import Engine

        temporary = self.project.state / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        # NOTE: DuckDBs that spill into one folder would overwrite each other's files; each makes its own when needed.
        return Engine(temp_directory=temporary / uuid.uuid4().hex, watch=watch)


def open_services(
    project: Project, charter: Charter | None = None, *, party: str | None = None, passphrase: str | None = None
) -> Services:
    """Open a project for building: the key of a service that may attest publications must be at hand.

    ``charter`` takes the place of the project's ``charter.yaml``. ``party`` is who signs instead, with the passphrase
    of that key: who decides needs no other key than their own.
    """
    charter = charter or load_charter(project)
    # NOTE: in a demo the first use makes the key, so the signer comes before the keys that count are read.
    if party is None:
        signer = service_signer(project, charter, os.environ.get("ECLUSE_PASSPHRASE"))
    else:
        signer = signer_for(project, charter, party, passphrase)
    charter = with_local_keys(project, charter)
    trust = trust_of(charter)
    database = Database(project.database_url)
    return Services(
        project=project,
        charter=charter,
        database=database,
        warehouse=Warehouse(project.warehouse, database),
        trust=trust,
        log=Log(database, trust),
        events=EventStore(database),
        signer=signer,
    )
