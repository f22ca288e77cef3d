"""What counts at the door before anything is read: the project, its charter, and whose keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecluse.charterfile import load_charter
from ecluse.ledger import Trust, trust_of, with_local_keys
from ecluse.model.charter import Charter
from ecluse.project import Project


@dataclass(frozen=True)
class Definitions:
    """One project in one environment.

    ``charter`` holds this machine's keys too, where the profile allows them; ``written`` is the charter as its file
    has it. ``foreign``: the records are those of another environment, which are only read.
    """

    project: Project
    written: Charter
    charter: Charter
    trust: Trust
    foreign: bool

    @classmethod
    def of(cls, project: str | Path | Project | None, environment: str | None = None) -> Definitions:
        """Those of a project; ``environment`` is the one whose records are read, the profile's own unless given."""
        own = project if isinstance(project, Project) else Project.find(project)
        found = own.reads_from(environment or own.environment)
        written = load_charter(found)
        return cls(found, written, with_local_keys(found, written), trust_of(written, found), found != own)
