"""Canonical JSON (RFC 8785): the one byte string of a value, and what such bytes say.

Most of what is signed holds no float and no character beyond the basic plane of Unicode. Of that, what msgspec writes
with sorted keys is canonical, at a fraction of the time. Everything else goes the long way, through ``rfc8785``.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec
import rfc8785

from ecluse.errors import LedgerError
from ecluse.model.canonical import plain

T = TypeVar("T")

_LARGEST = 2**53 - 1
#: A character of two UTF-16 units, by which RFC 8785 orders keys; msgspec orders them by code points.
_LONG = re.compile("[\U00010000-\U0010ffff]")
#: Every digit as ``0``, and what a number can stand behind as ``:``.
_DIGITS = bytes(48 if 48 <= byte <= 57 else 58 if byte in b":,[-" else 32 for byte in range(256))
_BEYOND = b":" + b"0" * len(str(_LARGEST))


class _NotPlainError(Exception):
    """A value that goes the long way."""


def _no_float(_digits: str) -> NoReturn:
    raise _NotPlainError


_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_no_float)
_WRITER = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """The one byte string of ``value``. Raises ``LedgerError`` for what JSON can't carry exactly."""
    simple = plain(value)
    try:
        written = _WRITER.encode(simple)
        # NOTE: read back, because msgspec also writes what is no JSON, a UUID for example, as text.
        if _read_plain(written, _ANYTHING) == simple:
            return written
    except (_NotPlainError, ValueError, TypeError, OverflowError, RecursionError):
        pass
    try:
        return rfc8785.dumps(simple)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise LedgerError("ledger.unsignable", error=error) from error


def canonical_reader(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A reader for ``parse_canonical`` of values of one type, by msgspec's rules."""
    return msgspec.json.Decoder(kind, float_hook=_no_float)


def parse_canonical(text: bytes, reader: msgspec.json.Decoder[T] = _ANYTHING) -> T:
    """The value of which ``canonical`` writes just these bytes.

    Raises ``ValueError`` where there is none, or none of the reader's type.
    """
    try:
        return _read_plain(text, reader)
    except (_NotPlainError, ValueError, RecursionError):
        pass
    try:
        value = parse(text)
        if rfc8785.dumps(value) == text:
            return msgspec.convert(value, reader.type)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise ValueError("not canonical") from error
    raise ValueError("not canonical")


def parse(text: bytes | str) -> Any:
    """The value of JSON, of numbers as ``canonical`` writes them; ``ValueError`` for anything that isn't JSON."""
    try:
        return json.loads(text, parse_int=_number, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_plain(text: bytes, reader: msgspec.json.Decoder[T]) -> T:
    """The value of canonical bytes without floats and long characters; every other text raises something."""
    value = reader.decode(text)
    if (
        _WRITER.encode(value) != text
        # NOTE: so many digits were a float, or can't be told from one. In a text they only cost the long way. From the
        # end, because a search begins with the last thing wanted: what is before a number is rarer than a digit.
        or text.translate(_DIGITS).rfind(_BEYOND) >= 0
        or text[:1].isdigit()
        or not (text.isascii() or not _LONG.search(text.decode()))
    ):
        raise _NotPlainError
    return value


def _number(digits: str) -> int | float:
    # NOTE: canonical JSON writes the float 1e16 without an exponent; beyond 2^53 digits were a float, never an int.
    return int(digits) if len(digits) < 18 and abs(int(digits)) <= _LARGEST else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
