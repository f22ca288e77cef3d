"""DSSE envelopes: canonical JSON (RFC 8785), signed with its type, in the form that in-toto tools read."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from ecluse.errors import LedgerError
from ecluse.ledger.keys import Signer
from ecluse.model.canonical import plain
from ecluse.model.facts import Fact

#: The payload type of a fact: an in-toto Statement.
STATEMENT_TYPE = "application/vnd.in-toto+json"

_LARGEST = 2**53 - 1
_LONG = re.compile("[\U00010000-\U0010ffff]")
_PLAIN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_BASE64 = '"([A-Za-z0-9+/]*={0,2})"'
_WRITTEN = re.compile(
    f'{{"payload":{_BASE64},"payloadType":"{re.escape(STATEMENT_TYPE)}",'
    f'"signatures":\\[{{"keyid":"([0-9a-f]*)","sig":{_BASE64}}}\\]}}'
)


@dataclass(frozen=True)
class Opened:
    """An envelope taken apart: the signed bytes and who claims to have signed them. Nothing is verified yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def message(self) -> bytes:
        """The bytes that the signatures are over."""
        return pae(self.payload_type, self.payload)


def canonical(value: Any) -> bytes:
    """The one byte string of ``value`` (RFC 8785). Raises ``LedgerError`` for what JSON can't carry exactly."""
    try:
        return rfc8785.dumps(plain(value))
    except rfc8785.CanonicalizationError as error:
        raise LedgerError("ledger.unsignable", error=error) from error


def is_canonical(value: Any, text: bytes, *, floats: bool) -> bool:
    """Whether ``text`` is what ``canonical`` writes of ``value``; ``floats`` tells whether that holds any."""
    try:
        # NOTE: without floats, and with no character of two UTF-16 units (in whose order keys stand), JSON as Python
        # writes it is RFC 8785, at a tenth of the time.
        written = text.decode()
        if not floats and (written.isascii() or not _LONG.search(written)):
            return _PLAIN.encode(value) == written
    except UnicodeDecodeError:
        return False
    return canonical(value) == text


def parse_noting_floats(text: bytes | str) -> tuple[Any, bool]:
    """What ``parse`` gives, and whether it holds a float."""
    written = text.decode() if isinstance(text, bytes) else text
    try:
        return _WITHOUT_FLOATS.decode(written), False
    except _FloatFound:
        return parse(written), True


def parse(text: bytes | str) -> Any:
    """The value of JSON that ``canonical`` wrote; ``ValueError`` for anything that isn't JSON."""
    return json.loads(text, parse_int=_number, parse_constant=_no_constant)


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
    return seal(STATEMENT_TYPE, fact.statement(), signer)


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


def open_written(text: str) -> Opened | None:
    """The envelope of a fact as the log writes it: canonical, with one signature. ``None`` for every other text.

    It says what ``parse``, ``is_canonical`` and ``open_envelope`` say of such a text, at a fifth of the time.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    payload, key, signature = found.groups()
    try:
        return Opened(STATEMENT_TYPE, _bytes(payload), ((key, _bytes(signature)),))
    except ValueError:
        return None


def _only(found: Any, *names: str) -> None:
    if not isinstance(found, Mapping) or set(found) != set(names):
        raise ValueError(f"not an object of {', '.join(names)}")


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("not text")
    return found


def _bytes(found: Any) -> bytes:
    try:
        return base64.b64decode(_text(found), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _number(digits: str) -> int | float:
    # NOTE: canonical JSON writes the float 1e16 without an exponent; beyond 2^53 digits were a float, never an int.
    return int(digits) if len(digits) < 18 and abs(int(digits)) <= _LARGEST else float(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class _FloatFound(Exception):
    """A number that isn't a whole one."""


def _no_float(digits: str) -> Any:
    raise _FloatFound(digits)


def _whole(digits: str) -> int:
    number = _number(digits)
    return number if isinstance(number, int) else _no_float(digits)


#: Made once, because most statements hold no float, and making a decoder costs as much as a quarter of its work.
_WITHOUT_FLOATS = json.JSONDecoder(parse_float=_no_float, parse_int=_whole, parse_constant=_no_constant)
