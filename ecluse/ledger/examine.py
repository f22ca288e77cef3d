"""Judge one envelope: what it states, who signed it, and whether those keys count for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from ecluse.errors import LedgerError
from ecluse.ledger.envelope import STATEMENT_TYPE, Opened, is_canonical, open_envelope, parse_noting_floats
from ecluse.ledger.keys import signature_holds
from ecluse.ledger.trust import Trust
from ecluse.model.facts import Fact


@dataclass(frozen=True)
class Examined:
    """A fact whose envelope is whole. It counts where ``doubt`` is ``None``.

    ``statement`` is the beginning of the SHA-256 of what was signed: the same for two envelopes that say the same.
    """

    fact: Fact
    key_ids: frozenset[str]
    doubt: LedgerError | None
    statement: bytes


def examine(envelope: Mapping[str, Any], trust: Trust, *, strict: bool = True) -> Examined:
    """The fact of an envelope, with the reason for which it doesn't count, if there is one.

    Raises ``LedgerError`` for what no honest writer makes: an envelope that is malformed, or whose signature isn't
    the one of a known key. ``strict`` also asks that the statement is canonical and says nothing beyond the fact.
    """
    return examine_opened(open_as(envelope, STATEMENT_TYPE), trust, strict=strict)


def examine_opened(opened: Opened, trust: Trust, *, strict: bool) -> Examined:
    """As ``examine``, of an envelope that was taken apart."""
    try:
        fact = _stated(opened.payload, strict=strict)
    except (ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
        raise LedgerError("ledger.malformed", detail=_detail(error)) from error
    return Examined(
        fact,
        frozenset(id for id, _ in opened.signatures),
        signatures_doubt(opened, trust, fact.kind, fact.at),
        sha256(opened.payload).digest()[:16],
    )


def _stated(payload: bytes, *, strict: bool) -> Fact:
    statement, floats = parse_noting_floats(payload)
    fact = Fact.from_statement(statement)
    if fact.at.tzinfo is None:
        raise ValueError("a time without a zone")
    if strict and not is_canonical(fact.statement(), payload, floats=floats):
        raise ValueError("not the canonical statement of a fact")
    return fact


def signatures_doubt(opened: Opened, trust: Trust, kind: str | None, at: datetime) -> LedgerError | None:
    """Why not every signature counts; ``None`` where all do. Raises ``LedgerError`` where one is false."""
    doubts = []
    for id, signature in opened.signatures:
        known = trust.keys.get(id)
        if known is not None and not signature_holds(known.key.public, signature, opened.message, known.key.scheme):
            raise LedgerError("ledger.bad_signature", party=known.party, key_id=id[:16])
        doubts.append(trust.doubt(id, kind, at))
    return next((doubt for doubt in doubts if doubt is not None), None)


def open_as(envelope: Mapping[str, Any], payload_type: str) -> Opened:
    """The envelope taken apart; ``LedgerError`` where it is malformed or of another type."""
    try:
        return open_envelope(envelope, payload_type)
    except (ValueError, TypeError) as error:
        raise LedgerError("ledger.malformed", detail=_detail(error)) from error


def _detail(error: Exception) -> str:
    return error.part("received") if isinstance(error, LedgerError) else str(error)[:200]
