"""One entry of the log by itself: whole, in canonical form, as the index has it, signed by a key that counts."""

from __future__ import annotations

from typing import NamedTuple

from ecluse.errors import IntegrityError, LedgerError
from ecluse.ledger.envelope import Opened, open_stored
from ecluse.ledger.examine import Examined, signatures_doubt, signers, stated
from ecluse.ledger.merkle import leaf_hash
from ecluse.ledger.statement import Stated
from ecluse.ledger.trust import Trust


class Entry(NamedTuple):
    """One row of the log as it is stored: position from 0, leaf hash (hexadecimal), the envelope's text.

    ``kind`` is what the index says of it, or ``None`` where there is no index to verify.
    """

    position: int
    leaf: str
    envelope: str
    kind: str | None = None


#: An entry as a plain tuple: they are many, and may cross from process to process.
Row = tuple[int, str, str, str | None]


def read_entry(entry: Entry, trust: Trust) -> Examined:
    """The fact of one entry, with the reason for which it doesn't count; ``IntegrityError`` where it was altered."""
    opened, found = open_entry(entry)
    return Examined(found, signers(opened), entry_doubt(entry.position, opened, found, trust))


def open_entry(entry: Row) -> tuple[Opened, Stated]:
    """The envelope of one entry and what it states, whose signatures nobody has looked at yet.

    Raises ``IntegrityError`` where it isn't what was appended: by its leaf, its form, or the index.
    """
    position, leaf, envelope, kind = entry
    # NOTE: as text, because SQLite also keeps bytes where a text belongs.
    stored = str(envelope).encode()
    if leaf_hash(stored).hex() != leaf:
        raise IntegrityError("ledger.altered", position=position)
    try:
        opened = open_stored(stored)
        found = stated(opened)
    except LedgerError as error:
        raise IntegrityError("ledger.entry", position=position, why=error.part("received")) from error
    except ValueError as error:
        raise IntegrityError("ledger.not_canonical", position=position) from error
    if kind is not None and found.kind != kind:
        raise IntegrityError("ledger.index", position=position, index="kind")
    return opened, found


def entry_doubt(
    position: int, opened: Opened, found: Stated, trust: Trust, *, vouched: bool = False
) -> LedgerError | None:
    """Why an entry's fact doesn't count; ``IntegrityError`` where a signature is false."""
    try:
        return signatures_doubt(opened, trust, found.kind, found.at, vouched=vouched)
    except LedgerError as error:
        raise IntegrityError("ledger.entry", position=position, why=error.part("received")) from error


def without_doubt(position: int, opened: Opened, found: Stated, trust: Trust, *, vouched: bool = False) -> None:
    """Raise ``IntegrityError`` naming an entry's position where its fact doesn't count."""
    doubt = entry_doubt(position, opened, found, trust, vouched=vouched)
    if doubt is None:
        return
    if doubt.key == "ledger.unknown_key":
        raise IntegrityError("ledger.unknown_signer", position=position, key_id=doubt.fields["key_id"])
    raise IntegrityError("ledger.entry", position=position, why=doubt.part("received")) from doubt
