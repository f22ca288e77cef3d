"""DSSE envelopes: canonical JSON, signed with its type, in the form that in-toto tools read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from ecluse.errors import LedgerError
from ecluse.ledger.jcs import canonical, parse_canonical
from ecluse.ledger.keys import Signer
from ecluse.ledger.statement import statement
from ecluse.model.facts import Fact

#: The payload type of a fact: an in-toto Statement.
STATEMENT_TYPE = "application/vnd.in-toto+json"


class _Signature(msgspec.Struct):
    keyid: str
    sig: bytes


class _Envelope(msgspec.Struct, rename="camel"):
    """An envelope of a fact, its fields in canonical order."""

    payload: bytes
    payload_type: Literal["application/vnd.in-toto+json"]
    signatures: list[_Signature]


_READER = msgspec.json.Decoder(_Envelope)
_WRITER = msgspec.json.Encoder()


class Opened(NamedTuple):
    """An envelope taken apart: the signed bytes and who claims to have signed them. Nothing is verified yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def message(self) -> bytes:
        """The bytes that the signatures are over."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: type and payload, each with its length.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, value: Any, signer: Signer) -> dict[str, Any]:
    """The envelope of ``value``'s canonical bytes, signed."""
    payload = canonical(value)
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [
            {"keyid": signer.key_id, "sig": base64.b64encode(signer.sign(pae(payload_type, payload))).decode()}
        ],
    }


def sign(fact: Fact, signer: Signer) -> dict[str, Any]:
    """The signed envelope of a fact, ready for ``Log.append``.

    Raises ``LedgerError`` where the fact's time has no zone, or its predicate holds what JSON can't carry exactly
    (whole numbers beyond 2^53, NaN, infinity, half a surrogate pair).
    """
    if fact.at.tzinfo is None:
        raise LedgerError("ledger.naive_time", kind=fact.kind, at=fact.at.isoformat())
    return seal(STATEMENT_TYPE, statement(fact), signer)


def open_envelope(envelope: Mapping[str, Any], payload_type: str) -> Opened:
    """Take an envelope of that type apart.

    Raises ``ValueError`` or ``TypeError`` where it isn't exactly a DSSE envelope with signatures.
    """
    _only(envelope, "payload", "payloadType", "signatures")
    signatures = []
    for found in envelope["signatures"]:
        _only(found, "keyid", "sig")
        signatures.append((_text(found["keyid"]), _bytes(found["sig"])))
    ids = {key for key, _ in signatures}
    if not signatures or len(ids) < len(signatures):
        raise ValueError("no signature, or two by the same key")
    if envelope["payloadType"] != payload_type:
        raise ValueError(f"its type isn't {payload_type}")
    return Opened(payload_type, _bytes(envelope["payload"]), tuple(signatures))


def open_written(text: bytes) -> Opened | None:
    """The envelope of a fact as the log writes it: canonical, with one signature. ``None`` for every other text.

    It says what ``parse_canonical`` and ``open_envelope`` say of such a text, at a fraction of the time.
    """
    try:
        envelope = _READER.decode(text)
        if len(envelope.signatures) != 1 or _WRITER.encode(envelope) != text:
            return None
    except ValueError:
        return None
    signature = envelope.signatures[0]
    return Opened(STATEMENT_TYPE, envelope.payload, ((signature.keyid, signature.sig),))


def open_stored(text: bytes) -> Opened:
    """The envelope of a fact whose canonical text the log holds.

    Raises ``ValueError`` where the text isn't canonical, ``LedgerError`` where it is, and is no envelope of a fact.
    """
    return open_written(text) or open_as(parse_canonical(text), STATEMENT_TYPE)


def open_as(envelope: Mapping[str, Any], payload_type: str) -> Opened:
    """The envelope taken apart; ``LedgerError`` where it is malformed or of another type."""
    try:
        return open_envelope(envelope, payload_type)
    except (ValueError, TypeError) as error:
        raise LedgerError("ledger.malformed", detail=str(error)[:200]) from error


def _only(found: Any, *names: str) -> None:
    if not isinstance(found, Mapping) or set(found) != set(names):
        raise ValueError(f"not an object of {', '.join(names)}")


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("not text")
    return found


def _bytes(found: Any) -> bytes:
    try:
        return binascii.a2b_base64(_text(found), strict_mode=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
