"""``data.lock``: which release was loaded, for what, and how far the log went; enough to ask the same again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ecluse.errors import DefinitionError, IntegrityError, StorageError
from ecluse.ledger import LogState
from ecluse.model.canonical import digest_of_json
from ecluse.model.release import Manifest
from ecluse.model.verdict import Request

_VERSION = 2


@dataclass(frozen=True)
class Lock:
    """The content of a lock: the release's manifest, what was asked of it, the gate and the log at that moment."""

    manifest: Manifest
    requests: tuple[Request, ...]
    gate_digest: str
    columns: dict[str, dict[str, str]]
    log: LogState
    at: datetime

    def write(self, path: Path) -> None:
        """Write the lock as JSON; a lock that stood there is replaced at once or not at all."""
        content: dict[str, Any] = {
            "ecluse": _VERSION,
            "digest": self.manifest.digest,
            "manifest": self.manifest.to_json(),
            "requests": [asdict(r) for r in self.requests],
            "gate_digest": self.gate_digest,
            "columns": self.columns,
            "log": {"size": self.log.size, "root": self.log.root},
            "at": self.at.isoformat(),
        }
        content["sha256"] = digest_of_json(content)
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
            beside.replace(path)
        except OSError as error:
            raise StorageError("door.lock_write", path=path, error=error.strerror) from error

    @classmethod
    def read(cls, path: Path) -> Lock:
        """The lock in a file. ``IntegrityError`` where it isn't as it was written, by its own digests."""
        try:
            content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise DefinitionError("door.lock_missing", path=path) from error
        except (OSError, ValueError, RecursionError) as error:
            raise IntegrityError("door.lock_damaged", path=path, error=error) from error
        try:
            if content["ecluse"] != _VERSION:
                raise IntegrityError("door.lock_version", path=path, found=content["ecluse"], wanted=_VERSION)
            whole = content.pop("sha256") == digest_of_json(content)
            lock = cls(
                manifest=Manifest.from_json(content["manifest"]),
                requests=tuple(Request(**r) for r in content["requests"]),
                gate_digest=content["gate_digest"],
                columns=content["columns"],
                log=LogState(int(content["log"]["size"]), str(content["log"]["root"])),
                at=datetime.fromisoformat(content["at"]),
            )
            digest = lock.manifest.digest
            whole &= bool(lock.requests) and all(r.release == content["digest"] == digest for r in lock.requests)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise IntegrityError("door.lock_damaged", path=path, error=f"{type(error).__name__}: {error}") from error
        if not whole:
            raise IntegrityError("door.lock_altered", path=path)
        return lock
