"""Checkpoints: how long the log was and what its root was, signed, to be kept where its operator can't write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ecluse.errors import LedgerError
from ecluse.ledger.envelope import open_as, seal
from ecluse.ledger.examine import signatures_doubt
from ecluse.ledger.jcs import parse
from ecluse.ledger.keys import Signer
from ecluse.ledger.merkle import HASH_BYTES
from ecluse.ledger.trust import Trust

CHECKPOINT_TYPE = "application/vnd.ecluse.checkpoint+json"
_VERSION = "https://ecluse.dev/checkpoint/v1"


@dataclass(frozen=True, order=True)
class Checkpoint:
    """The log at one moment: its number of facts, its root (64 hexadecimal digits), the time."""

    size: int
    root: str
    at: datetime

    @classmethod
    def of(cls, size: Any, root: Any, at: Any) -> Checkpoint:
        """The checkpoint of these values from JSON; ``ValueError`` or ``TypeError`` where they are those of none."""
        time = datetime.fromisoformat(at)
        if type(size) is not int or size < 0 or len(bytes.fromhex(root)) != HASH_BYTES or time.tzinfo is None:
            raise ValueError("no size, root or time of a checkpoint")
        return cls(size, root, time)


def seal_checkpoint(checkpoint: Checkpoint, signer: Signer) -> dict[str, Any]:
    """The signed envelope of a checkpoint."""
    stated = {
        "_type": _VERSION,
        "size": checkpoint.size,
        "root": checkpoint.root,
        "at": checkpoint.at.isoformat(),
    }
    return seal(CHECKPOINT_TYPE, stated, signer)


def open_checkpoint(envelope: Mapping[str, Any], trust: Trust) -> Checkpoint:
    """The checkpoint of an envelope; ``LedgerError`` where it is malformed or its key didn't count at its time."""
    opened = open_as(envelope, CHECKPOINT_TYPE)
    try:
        checkpoint = _stated(parse(opened.payload))
    except (ValueError, TypeError) as error:
        raise LedgerError("ledger.malformed", detail=str(error)[:200]) from error
    if doubt := signatures_doubt(opened, trust, None, checkpoint.at):
        raise doubt
    return checkpoint


def read_checkpoint(path: Path, trust: Trust) -> Checkpoint:
    """The checkpoint in a file that ``ecluse log checkpoint`` wrote.

    ``LedgerError`` where it can't be read as one, or its key didn't count at its time.
    """
    try:
        return open_checkpoint(parse(path.read_bytes()), trust)
    except (OSError, ValueError) as error:
        raise LedgerError("ledger.checkpoint_file", path=path, error=str(error).splitlines()[0]) from error
    except LedgerError as error:
        if error.key != "ledger.malformed":
            raise
        raise LedgerError("ledger.checkpoint_file", path=path, error=error.fields["detail"]) from error


def _stated(found: Any) -> Checkpoint:
    if set(found) != {"_type", "size", "root", "at"} or found["_type"] != _VERSION:
        raise ValueError("not a checkpoint of version 1")
    return Checkpoint.of(found["size"], found["root"], found["at"])
