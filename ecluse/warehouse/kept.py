"""Candidates written down beside their branch, in a property of the table, so that another run can take them up.

The property changes in the same commit as the branch, and goes with it: at publication, or when the branch is dropped.
"""

from __future__ import annotations

import json
from typing import Any

from pyiceberg.table.metadata import TableMetadata

from ecluse.model.canonical import plain
from ecluse.model.release import DataFile
from ecluse.warehouse.candidate import Candidate
from ecluse.warehouse.draft import Draft

_PREFIX = "ecluse.candidate."
_FILES = ("files", "removed", "carried", "kept", "computed")


def write_down(draft: Draft, candidate: Candidate) -> None:
    """Remember a candidate that its step described; nothing is remembered of one without ``about``."""
    if candidate.about:
        draft.set_properties({_PREFIX + candidate.branch: json.dumps(plain(candidate))})
    else:
        forget(draft, candidate.branch)


def computed_files(metadata: TableMetadata, branch: str | None = None) -> list[str]:
    """The paths of the files with computed rows that the candidates of a table keep, or one of them."""
    found = [candidate for candidate in all_recalled(metadata) if branch in (None, candidate.branch)]
    return [file.path for candidate in found for file in candidate.computed or ()]


def forget(draft: Draft, branch: str) -> None:
    """Forget what was remembered of a branch."""
    draft.drop_property(_PREFIX + branch)


def recalled(metadata: TableMetadata, branch: str) -> Candidate | None:
    """The candidate of a branch as it was written down; ``None`` where it wasn't."""
    text = metadata.properties.get(_PREFIX + branch)
    return None if text is None else _candidate(json.loads(text))


def all_recalled(metadata: TableMetadata) -> list[Candidate]:
    """Every candidate of a table that was written down, in the order of their branches."""
    names = sorted(name for name in metadata.properties if name.startswith(_PREFIX))
    return [_candidate(json.loads(metadata.properties[name])) for name in names]


def _candidate(said: dict[str, Any]) -> Candidate:
    files = {name: tuple(DataFile(**file) for file in said[name]) for name in _FILES if said.get(name) is not None}
    sets = {name: None if said[name] is None else frozenset(said[name]) for name in ("looks_at", "seen")}
    return Candidate(**{**said, **files, **sets})
