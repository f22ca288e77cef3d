"""One name for what a suite promises, whatever GX's version or the ids that it gave out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ecluse.model.canonical import digest, dumps, plain
from ecluse.quality import gx

#: How a result is shown, not what is promised.
_SHOWN = ("result_format", "catch_exceptions", "condition_parser", "batch_id", "windows")


def suite_digest(suite: Any) -> str:
    """SHA-256 of a suite's promises (a GX suite, or expectations); their order doesn't matter."""
    expectations: Iterable[gx.Expectation] = getattr(suite, "expectations", suite)
    return digest(sorted(dumps(promise_content(e)).decode() for e in expectations))


def promise_content(expectation: gx.Expectation) -> dict[str, Any]:
    """What an expectation promises, as JSON: without ids, notes, descriptions and ways to show a result."""
    configuration = expectation.configuration
    kwargs = {k: v for k, v in configuration.kwargs.items() if k not in _SHOWN and v is not None}
    severity = getattr(configuration.severity, "value", configuration.severity)
    ours = (configuration.meta or {}).get("ecluse") or {}
    return {
        "type": configuration.type,
        "kwargs": _stable(plain(kwargs)),
        "severity": str(severity),
        "scope": str(ours.get("scope", "batch")),
        "within": ours.get("within"),
    }


def _stable(value: Any) -> Any:
    """``value`` with whole floats as integers: GX turns the bound 1 into 1.0 in some versions and fields only."""
    if isinstance(value, dict):
        return {str(k): _stable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_stable(v) for v in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
