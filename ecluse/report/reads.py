"""Who asked for a release at the door: the log of reads, which is a database of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ecluse.ledger import Log
from ecluse.model.release import Manifest
from ecluse.report.sheet import Read
from ecluse.store import Database

if TYPE_CHECKING:
    from ecluse.ledger import Trust
    from ecluse.project import Project


def reads_of(
    project: Project, trust: Trust, manifest: Manifest | None, dataset: str, until: datetime
) -> tuple[Read, ...]:
    """Every recorded request for this dataset and release, refused ones too, oldest first."""
    database = Database(project.reads_url, read_only=True)
    if manifest is None or database.file is None or not database.file.is_file():
        return ()
    try:
        facts = [f.fact for f in Log(database, trust).facts("read") if f.fact.at <= until]
    finally:
        database.close()
    return tuple(
        Read(
            at=fact.at,
            reader=fact.predicate.get("reader"),
            authenticated=bool(fact.predicate.get("authenticated")),
            purpose=str(fact.predicate.get("purpose") or ""),
            opens=bool(fact.predicate.get("opens")),
            columns=tuple(
                c.removeprefix(f"{dataset}.")
                for c in fact.predicate.get("columns") or ()
                if c.startswith(f"{dataset}.")
            ),
        )
        for fact in facts
        if dataset in (fact.predicate.get("datasets") or ()) and any(s.sha256 == manifest.digest for s in fact.subjects)
    )
