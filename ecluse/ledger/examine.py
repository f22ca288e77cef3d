"""Judge one envelope: what it states, who signed it, and whether those keys count for it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from ecluse.errors import LedgerError
from ecluse.ledger.envelope import Opened
from ecluse.ledger.keys import signature_holds
from ecluse.ledger.statement import Stated, read_statement
from ecluse.ledger.trust import Trust

#: How much of a statement's SHA-256 tells it from every other one.
STATEMENT_BYTES = 16


class Examined(NamedTuple):
    """What a whole envelope states, and who signed it. It counts where ``doubt`` is ``None``."""

    stated: Stated
    key_ids: frozenset[str]
    doubt: LedgerError | None


def examine(opened: Opened, trust: Trust) -> Examined:
    """The fact of an envelope, with the reason for which it doesn't count, if there is one.

    Raises ``LedgerError`` for what no honest writer makes: a statement that isn't canonical or says more than a fact,
    and a signature that isn't the one of a known key.
    """
    found = stated(opened)
    return Examined(found, signers(opened), signatures_doubt(opened, trust, found.kind, found.at))


def stated(opened: Opened) -> Stated:
    """What an envelope states; ``LedgerError`` for anything that isn't exactly the statement of a fact."""
    try:
        return read_statement(opened.payload)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError("ledger.malformed", detail=str(error)[:200]) from error


def signers(opened: Opened) -> frozenset[str]:
    """The ids of the keys that claim to have signed an envelope."""
    return frozenset([id for id, _ in opened.signatures])


def statement_digest(opened: Opened) -> bytes:
    """The beginning of the SHA-256 of what was signed: the same for two envelopes that say the same."""
    return sha256(opened.payload).digest()[:STATEMENT_BYTES]


def signatures_doubt(
    opened: Opened, trust: Trust, kind: str | None, at: datetime, *, vouched: bool = False
) -> LedgerError | None:
    """Why not every signature counts; ``None`` where all do. Raises ``LedgerError`` where one is false.

    ``vouched``: somebody whom the caller believes found the signatures true, so that only their keys are asked about.
    """
    if not vouched:
        _none_is_false(opened, trust)
    for id, _ in opened.signatures:
        if (doubt := trust.doubt(id, kind, at)) is not None:
            return doubt
    return None


def _none_is_false(opened: Opened, trust: Trust) -> None:
    message = opened.message
    for id, signature in opened.signatures:
        known = trust.keys.get(id)
        if known is not None and not signature_holds(known.key.public, signature, message, known.key.scheme):
            raise LedgerError("ledger.bad_signature", party=known.party, key_id=id[:16])
