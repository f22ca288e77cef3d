"""Who asked for data at the door: the log of reads, which is a database of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecluse.ledger import Log
from ecluse.model.facts import Fact
from ecluse.model.release import Manifest
from ecluse.report.sheet import Read
from ecluse.store import Database

if TYPE_CHECKING:
    from ecluse.ledger import Trust
    from ecluse.project import Project


@dataclass(frozen=True)
class Access:
    """One request at the door, open or refused.

    ``columns`` maps each column that was shown (``dataset.column``) to how: ``clear``, ``generalised``, ``pseudonym``
    or ``null``; empty for a refusal. ``reasons`` are the keys of a refusal's reasons. ``released`` is false where data
    was read that no release holds.
    """

    at: datetime
    reader: str | None
    authenticated: bool
    datasets: tuple[str, ...]
    version: str | None
    purpose: str
    phase: str
    environment: str
    opens: bool
    released: bool
    columns: Mapping[str, str]
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, fact: Fact) -> Access:
        """What a fact of the log of reads says."""
        said = fact.predicate
        return cls(
            at=fact.at,
            reader=said.get("reader"),
            authenticated=bool(said.get("authenticated")),
            datasets=tuple(said.get("datasets") or ()),
            version=said.get("version"),
            purpose=str(said.get("purpose") or ""),
            phase=str(said.get("phase") or ""),
            environment=fact.environment,
            opens=bool(said.get("opens")),
            released=said.get("released") is not False,
            columns=_columns(said.get("columns")),
            reasons=tuple(said.get("reasons") or ()),
        )


def accesses(
    project: Project,
    trust: Trust,
    *,
    dataset: str | None = None,
    reader: str | None = None,
    since: datetime | None = None,
) -> tuple[Access, ...]:
    """Every recorded request of this machine's readers, oldest first, as far as the filters ask for it.

    ``IntegrityError`` where the log of reads isn't what was signed.
    """
    return tuple(
        access
        for access in map(Access.of, _facts(project, trust))
        if (dataset is None or dataset in access.datasets)
        and (reader is None or reader == access.reader)
        and (since is None or access.at >= since)
    )


def reads_of(
    project: Project, trust: Trust, manifest: Manifest | None, dataset: str, until: datetime
) -> tuple[Read, ...]:
    """Every recorded request for this dataset and release, refused ones too, oldest first."""
    if manifest is None:
        return ()
    return tuple(
        Read(
            at=access.at,
            reader=access.reader,
            authenticated=access.authenticated,
            purpose=access.purpose,
            opens=access.opens,
            columns=tuple(c.removeprefix(f"{dataset}.") for c in access.columns if c.startswith(f"{dataset}.")),
        )
        for fact, access in ((fact, Access.of(fact)) for fact in _facts(project, trust) if fact.at <= until)
        if dataset in access.datasets and any(s.sha256 == manifest.digest for s in fact.subjects)
    )


def _facts(project: Project, trust: Trust) -> tuple[Fact, ...]:
    database = Database(project.reads_url, read_only=True)
    if database.file is None or not database.file.is_file():
        return ()
    try:
        _, facts = Log(database, trust).verified_facts()
        return tuple(signed.fact for signed in facts if signed.fact.kind == "read")
    finally:
        database.close()


def _columns(said: Any) -> dict[str, str]:
    """The columns that were shown and how; records of before said only which."""
    if isinstance(said, dict):
        return {str(column): str(way) for column, way in said.items()}
    return {str(column): "" for column in said or ()}
