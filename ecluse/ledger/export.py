"""The log as a file of JSON lines, which an auditor verifies without the project's database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import IntegrityError, LedgerError
from ecluse.ledger import merkle
from ecluse.ledger.audit import LogState, Passed, audit
from ecluse.ledger.checkpoint import Checkpoint
from ecluse.ledger.entry import Entry
from ecluse.ledger.jcs import canonical, parse
from ecluse.ledger.pages import pages_of
from ecluse.ledger.trust import Trust
from ecluse.model.facts import SignedFact


@dataclass(frozen=True)
class Exported:
    """An exported log that was verified: how far it goes, and its facts in order."""

    state: LogState
    facts: tuple[SignedFact, ...]
    leaves: tuple[bytes, ...]

    def root(self, size: int) -> str:
        """The Merkle root over the first ``size`` facts: 64 hexadecimal digits."""
        return merkle.root(self.leaves[:size]).hex()


def write_entries(path: Path, entries: Iterable[Entry]) -> int:
    """Write one canonical JSON line per entry; returns their number."""
    count = 0
    try:
        with path.open("wb") as file:
            for entry in entries:
                line = {"position": entry.position, "leaf": entry.leaf, "envelope": parse(entry.envelope)}
                file.write(canonical(line) + b"\n")
                count += 1
    except OSError as error:
        raise LedgerError("ledger.export_write", path=path, error=error.strerror) from error
    return count


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of an exported file; ``IntegrityError`` for a line that is no entry."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                yield _entry(path, number, line)
    except OSError as error:
        raise LedgerError("ledger.export_read", path=path, error=error.strerror) from error


def verify_export(
    path: Path,
    trust: Trust,
    against: Sequence[Checkpoint] = (),
    *,
    vouched: Checkpoint | None = None,
    passed: Passed | None = None,
    every_core: bool = False,
) -> LogState:
    """Verify an exported log as ``Log.verify`` does."""
    pages = pages_of(read_entries(path))
    return audit(pages, trust, against, vouched=vouched, passed=passed, every_core=every_core)


def open_export(path: Path, trust: Trust, against: Sequence[Checkpoint] = ()) -> Exported:
    """The facts of an exported log that verifies as ``verify_export`` says; they are held in memory."""
    entries = tuple(read_entries(path))
    facts: list[SignedFact] = []
    state = audit(pages_of(entries), trust, against, facts=facts)
    return Exported(state, tuple(facts), tuple(bytes.fromhex(entry.leaf) for entry in entries))


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        found = parse(line)
        return Entry(int(found["position"]), str(found["leaf"]), canonical(found["envelope"]).decode())
    except (ValueError, KeyError, TypeError, LedgerError) as error:
        key = "ledger.export_line" if line.endswith(b"\n") else "ledger.export_cut"
        raise IntegrityError(key, path=path, position=number, line=number + 1) from error
