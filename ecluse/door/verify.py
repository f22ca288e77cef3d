"""Asks again, with read access only, what a ``data.lock`` was written for: in CI, and when a model server boots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecluse.door.files import verify_files
from ecluse.door.lock import Lock
from ecluse.door.records import Records
from ecluse.errors import DefinitionError, IntegrityError, Refused
from ecluse.ledger import LogState
from ecluse.model.release import Manifest
from ecluse.model.verdict import Verdict
from ecluse.project import Project
from ecluse.warehouse import open_store


@dataclass(frozen=True)
class Verified:
    """A lock that still holds. ``locked`` is the log as it was when the lock was written, ``log`` as it is now."""

    manifest: Manifest
    verdict: Verdict
    files: int
    locked: LogState
    log: LogState


def verify(lock_path: str | Path, project: str | Path | None = None) -> Verified:
    """Verify a lock: the log extends the one it was written on, every file is as released, and the door is open now.

    The reader is the one whom the lock names; nothing is handed over, so nothing is proven or recorded. Raises
    ``IntegrityError`` for an altered lock, log or file, and ``Refused`` where the release is no longer open.
    """
    path = Path(lock_path)
    lock = Lock.read(path)
    asked = _project_of(lock, project)
    if any((r.project, r.environment) != (asked.name, asked.environment) for r in lock.requests):
        raise IntegrityError("door.lock_elsewhere", path=path, project=asked.name, environment=asked.environment)
    records = Records.open(asked, read_only=True)
    try:
        _extends(records, lock, path)
        products = [lock.manifest.product(r.dataset) for r in lock.requests if _holds(lock, r.dataset)]
        verify_files(open_store(records.project.warehouse), products)
        found = records.judge(lock.requests, records.project.now())
    finally:
        records.close()
    if not found.opens:
        first = lock.requests[0]
        raise Refused(
            "door.lock_refused",
            verdict=found,
            path=path,
            dataset=first.dataset,
            version=lock.manifest.version,
            purpose=first.purpose,
        )
    return Verified(lock.manifest, found, sum(len(p.files) for p in products), lock.log, records.state)


def _project_of(lock: Lock, project: str | Path | None) -> Project:
    """The project, as it reads the environment that the lock names; as it is, where it reads no such one."""
    own = Project.find(project)
    try:
        return own.reads_from(lock.requests[0].environment)
    except DefinitionError:
        return own


def _extends(records: Records, lock: Lock, path: Path) -> None:
    """Nothing that the log held when the lock was written was cut off or rewritten since."""
    size = lock.log.size
    if size > records.state.size:
        raise IntegrityError("door.log_shorter", path=path, size=records.state.size, locked=size)
    if size < 0 or records.log.root(size) != lock.log.root:
        raise IntegrityError("door.log_rewritten", path=path, locked=size)


def _holds(lock: Lock, dataset: str) -> bool:
    return dataset in [p.dataset for p in lock.manifest.products]
