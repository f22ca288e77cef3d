"""One byte string per value: canonical JSON (RFC 8785, for the values Écluse signs) and its SHA-256."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import date, datetime
from enum import Enum
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: dataclasses become objects, tuples and sets lists, times ISO 8601 text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(v) for v in value), key=lambda v: (v is not None, v))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def dumps(value: Any) -> bytes:
    """Canonical bytes of ``value``, for digests of definitions.

    Keys are sorted and nothing is padded. Facts that are signed go through the ledger's RFC 8785 encoder, which
    agrees with this one on the values used here (text, whole numbers, true, false, null) and is stricter on floats.
    """
    return _ENCODER.encode(plain(value)).encode()


def digest(value: Any) -> str:
    """SHA-256 of ``value``'s canonical bytes, 64 hexadecimal digits."""
    return digest_of_json(plain(value))


def digest_of_json(value: Any) -> str:
    """The same of a value that ``plain`` leaves as it is: objects, lists and what JSON holds besides."""
    return hashlib.sha256(_ENCODER.encode(value).encode()).hexdigest()
