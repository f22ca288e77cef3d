"""The log as a reader saw it last: one that is shorter now, or says something else, was put back or rewritten.

Every signature in an old copy of a log is true. What was withdrawn since is open in it again, so the reader remembers.
What they remember carries their own signature: they verified the log up to there, and need not verify its signatures
again. Somebody else's word for it is worth nothing to them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecluse.door.definitions import Definitions
from ecluse.door.identity import Reader
from ecluse.errors import IntegrityError, LedgerError, StorageError
from ecluse.ledger import Checkpoint, Log, LogState, Trust, open_checkpoint, seal_checkpoint
from ecluse.store import alone

FILE = "heads.json"


@dataclass(frozen=True)
class Head:
    """Size and root of a log, when they were seen, and the same in an envelope that who saw them signed."""

    checkpoint: Checkpoint
    signed: Mapping[str, Any] | None

    def verified_by(self, reader: Reader, trust: Trust) -> bool:
        """Whether this reader's own key says that the log was verified up to here."""
        if self.signed is None or reader.signer is None or (own := trust.keys.get(reader.signer.key_id)) is None:
            return False
        try:
            return open_checkpoint(self.signed, Trust({reader.signer.key_id: own})) == self.checkpoint
        except LedgerError:
            return False

    def confirm(self, log: Log, name: str) -> None:
        """``IntegrityError`` where ``log`` doesn't extend this head; its tree is taken as it is stored."""
        seen = self.checkpoint
        if log.size < seen.size or (seen.size and log.root(seen.size) != seen.root):
            raise IntegrityError("door.log_put_back", log=name, seen=seen.size, size=log.size, file=FILE)


def read_head(definitions: Definitions) -> Head | None:
    """What this profile's readers saw of the log; ``IntegrityError`` where what they remember can't be read."""
    return _read(_path(definitions)).get(log_name(definitions))


def remember_head(definitions: Definitions, state: LogState, reader: Reader, at: datetime) -> None:
    """Keep size and root of a log, signed by who verified it, for the next time; a longer one that was seen stays."""
    path, name = _path(definitions), log_name(definitions)
    if _stays(_read(path).get(name), state, reader, definitions.trust):
        return
    checkpoint = Checkpoint(state.size, state.root, at)
    signed = seal_checkpoint(checkpoint, reader.signer) if reader.signer else None
    try:
        # NOTE: of two readers at once, the one who saw less must not be the last word, nor take the other's file away.
        with alone(path.with_suffix(".lock")):
            known = _read(path)
            if not _stays(known.get(name), state, reader, definitions.trust):
                _write(path, {**known, name: Head(checkpoint, signed)})
    except OSError as error:
        raise StorageError("door.head_write", path=path, error=error.strerror or error) from error


def _stays(before: Head | None, state: LogState, reader: Reader, trust: Trust) -> bool:
    """Whether what is remembered says at least as much as this reader could say now."""
    if before is None or before.checkpoint.size < state.size:
        return False
    return before.checkpoint.size > state.size or reader.signer is None or before.verified_by(reader, trust)


def log_name(definitions: Definitions) -> str:
    """What a log is called among those that a profile's readers remember."""
    return f"{definitions.project.name}/{definitions.project.environment}"


def _path(definitions: Definitions) -> Path:
    return definitions.project.state / FILE


def _read(path: Path) -> dict[str, Head]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {name: _head(said) for name, said in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise IntegrityError("door.head_damaged", path=path, error=f"{type(error).__name__}: {error}") from error


def _write(path: Path, known: Mapping[str, Head]) -> None:
    beside = path.with_suffix(".new")
    content = {name: _said(head) for name, head in sorted(known.items())}
    beside.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    beside.replace(path)


def _said(head: Head) -> dict[str, Any]:
    seen = head.checkpoint
    return {"size": seen.size, "root": seen.root, "at": seen.at.isoformat(), "signed": head.signed}


def _head(said: Mapping[str, Any]) -> Head:
    # NOTE: earlier versions kept size and root alone.
    at = said.get("at", datetime.now(UTC).isoformat())
    return Head(Checkpoint.of(said["size"], said["root"], at), said.get("signed"))
