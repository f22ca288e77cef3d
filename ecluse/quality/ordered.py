"""Promises about a row and the one before it: values that rise or fall from row to row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecluse.quality.batch import Batch, Unknown

_ORDERED = ("integer", "float", "decimal", "date", "timestamp", "timestamptz")


def ordered(operator: str) -> Callable[[Batch, str, dict[str, Any]], str]:
    """Builds the SQL that is true where a value ``v`` follows ``before`` in order; the first value always does."""

    def kept(batch: Batch, column: str, values: dict[str, Any]) -> str:
        kind = batch.kind(column)
        if kind not in _ORDERED:
            raise Unknown("values without a difference")
        in_order = f"before IS NULL OR v {operator if values.get('strictly') else operator + '='} before"
        # GX looks at the difference, and two equal infinities have none, which it lets pass.
        return f"({in_order} OR (isinf(v) AND v = before))" if kind == "float" else f"({in_order})"

    return kept
