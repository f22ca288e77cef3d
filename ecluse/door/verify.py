"""Asks again, with read access only, what a ``data.lock`` was written for: in CI, and when a model server boots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ecluse.charterfile import load_charter
from ecluse.door.definitions import Definitions
from ecluse.door.files import verify_files
from ecluse.door.lock import Lock
from ecluse.door.records import Records, judge
from ecluse.errors import DefinitionError, IntegrityError, Refused
from ecluse.ledger import LogState, open_export, read_checkpoint, trust_of, with_local_keys
from ecluse.model.charter import Charter
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.verdict import Verdict
from ecluse.project import Project
from ecluse.warehouse import open_store


@dataclass(frozen=True)
class Verified:
    """A lock that still holds. ``locked`` is the log as it was when the lock was written, ``log`` as it is now.

    ``files`` counts the files that were hashed; ``None`` where there were none to look at. ``newest`` is the time of
    the newest fact: nothing that was decided later is known here.
    """

    manifest: Manifest
    verdict: Verdict
    files: int | None
    locked: LogState
    log: LogState
    newest: datetime


def verify(
    lock_path: str | Path,
    project: str | Path | None = None,
    *,
    evidence: str | Path | None = None,
    charter: str | Path | None = None,
    checkpoint: str | Path | None = None,
    files: str | Path | None = None,
) -> Verified:
    """Verify a lock: the log extends the one it was written on, every file is as released, and the door is open now.

    With ``evidence``, a log that ``ecluse log export`` wrote, nothing else of the project is needed but its charter,
    which has the public keys: ``charter``, or that of the project. ``checkpoint`` is one that the export must extend.
    ``files`` is a copy of the project's tables; without it the files are not looked at.

    The reader is the one whom the lock names; nothing is handed over, so nothing is proven or recorded. Raises
    ``IntegrityError`` for an altered lock, log or file, and ``Refused`` where the release is no longer open.
    """
    path = Path(lock_path)
    lock = Lock.read(path)
    if evidence is not None:
        return _verify_offline(lock, path, project, Path(evidence), charter, checkpoint, files)
    if charter is not None or checkpoint is not None or files is not None:
        raise DefinitionError("door.without_evidence")
    asked = _project_of(lock, project)
    if any((r.project, r.environment) != (asked.name, asked.environment) for r in lock.requests):
        raise IntegrityError("door.lock_elsewhere", path=path, project=asked.name, environment=asked.environment)
    records = Records.open(Definitions.of(asked), read_only=True)
    try:
        _confirm_extends(lock, path, records.state, records.log.root)
        products = _products(lock)
        verify_files(open_store(records.project.warehouse), products)
        found = records.judge(lock.requests, lock.manifest, records.project.now())
    finally:
        records.close()
    _refuse(lock, path, found)
    newest = max((f.fact.at for f in records.facts), default=lock.at)
    return Verified(lock.manifest, found, _count(products), lock.log, records.state, newest)


def _verify_offline(
    lock: Lock,
    path: Path,
    project: str | Path | None,
    evidence: Path,
    charter: str | Path | None,
    checkpoint: str | Path | None,
    files: str | Path | None,
) -> Verified:
    counting = _charter(project, charter)
    trust = trust_of(counting)
    kept = [] if checkpoint is None else [read_checkpoint(Path(checkpoint), trust)]
    exported = open_export(evidence, trust, kept)
    _confirm_extends(lock, path, exported.state, exported.root)
    products = _products(lock)
    if files is not None:
        verify_files(open_store(Path(files)), products)
    found = judge(lock.requests, lock.manifest, counting, exported.facts, trust, datetime.now(UTC))
    _refuse(lock, path, found)
    newest = max((f.fact.at for f in exported.facts), default=lock.at)
    hashed = None if files is None else _count(products)
    return Verified(lock.manifest, found, hashed, lock.log, exported.state, newest)


def _charter(project: str | Path | None, charter: str | Path | None) -> Charter:
    """The charter of that file; without one the project's, with the keys that a demo made here."""
    if charter is not None:
        return load_charter(Path(charter))
    found = Project.find(project)
    written = load_charter(found)
    # NOTE: where no demo ran, none is begun: to verify makes no key.
    return with_local_keys(found, written) if found.trust.is_file() else written


def _project_of(lock: Lock, project: str | Path | None) -> Project:
    """The project, as it reads the environment that the lock names; as it is, where it reads no such one."""
    own = Project.find(project)
    try:
        return own.reads_from(lock.requests[0].environment)
    except DefinitionError:
        return own


def _confirm_extends(lock: Lock, path: Path, log: LogState, root: Callable[[int], str]) -> None:
    """Nothing that the log held when the lock was written was cut off or rewritten since."""
    size = lock.log.size
    if size > log.size:
        raise IntegrityError("door.log_shorter", path=path, size=log.size, locked=size)
    if size < 0 or root(size) != lock.log.root:
        raise IntegrityError("door.log_rewritten", path=path, locked=size)


def _refuse(lock: Lock, path: Path, found: Verdict) -> None:
    if not found.opens:
        first = lock.requests[0]
        raise Refused(
            "door.lock_refused",
            verdict=found,
            path=path,
            dataset=first.dataset,
            version=lock.manifest.version,
            purpose=first.purpose,
            at=lock.at.isoformat(" ", "minutes"),
        )


def _products(lock: Lock) -> list[TableVersion]:
    held = [p.dataset for p in lock.manifest.products]
    return [lock.manifest.product(r.dataset) for r in lock.requests if r.dataset in held]


def _count(products: Sequence[TableVersion]) -> int:
    return sum(len(p.files) for p in products)
