"""The log as a reader saw it last: one that is shorter now, or says something else, was put back or rewritten.

Every signature in an old copy of a log is true. What was withdrawn since is open in it again, so the reader remembers.
"""

from __future__ import annotations

import json
from pathlib import Path

from ecluse.door.records import Records
from ecluse.errors import IntegrityError, StorageError
from ecluse.ledger import LogState

FILE = "heads.json"


def confirm_head(records: Records) -> None:
    """``IntegrityError`` where the log doesn't extend what this profile's readers saw of it before."""
    seen = _read(records.project.state / FILE).get(_name(records))
    if seen is None:
        return
    if records.state.size < seen.size or (seen.size and records.log.root(seen.size) != seen.root):
        name = _name(records)
        raise IntegrityError("door.log_put_back", log=name, seen=seen.size, size=records.state.size, file=FILE)


def remember_head(records: Records) -> None:
    """Keep size and root of the log, for the next time."""
    path = records.project.state / FILE
    known = _read(path)
    before = known.get(_name(records))
    if before is not None and before.size >= records.state.size:
        return
    known[_name(records)] = records.state
    content = {name: {"size": state.size, "root": state.root} for name, state in sorted(known.items())}
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        beside.replace(path)
    except OSError as error:
        raise StorageError("door.head_write", path=path, error=error.strerror or error) from error


def _name(records: Records) -> str:
    return f"{records.project.name}/{records.project.environment}"


def _read(path: Path) -> dict[str, LogState]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {name: LogState(int(seen["size"]), str(seen["root"])) for name, seen in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError("door.head_damaged", path=path, error=f"{type(error).__name__}: {error}") from error
