"""Expectations about a column's type, answered from the schema: GX would need a loaded batch of its own kind."""

from __future__ import annotations

import re
from typing import Any

from ecluse import texts
from ecluse.quality import gx
from ecluse.quality.batch import Batch, CannotCompute

#: Expectations that are about a type alone.
EXPECTATIONS = (
    "expect_column_type_to_be",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
)
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
#: Names by which Python, numpy and pandas call types. Written in just this way they mean these; all others are SQL.
_PYTHON: dict[str, tuple[str, ...]] = {
    "int": _INTEGERS,
    "float": ("FLOAT", "DOUBLE"),
    "float32": ("FLOAT",),
    "Float32": ("FLOAT",),
    "float64": ("DOUBLE",),
    "Float64": ("DOUBLE",),
    "str": ("VARCHAR",),
    "object": ("VARCHAR",),
    "string": ("VARCHAR",),
    "bool": ("BOOLEAN",),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "datetime": _TIMES,
    **{f"datetime64{unit}": _TIMES for unit in ("", "[s]", "[ms]", "[us]", "[ns]")},
    **{
        f"{prefix}{bits}": (type_,)
        for (prefix, bits), type_ in zip(
            [(p, b) for b in (8, 16, 32, 64) for p in ("int", "Int", "uint", "UInt")],
            [t for s in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT") for t in (s, s, f"U{s}", f"U{s}")],
            strict=True,
        )
    },
}
_SQL_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\d*\])*$")


def type_answer(batch: Batch, expectation: gx.Expectation) -> gx.ValidationResult | None:
    """The answer to an expectation about a type, from the schema; ``None`` for every other expectation."""
    if expectation.configuration.type not in EXPECTATIONS:
        return None
    wanted = getattr(expectation, "type_list", None)
    names: list[Any] = list(wanted) if wanted is not None else [expectation.type_]
    if batch.frame is not None and (all(name in _PYTHON for name in names) or expectation.column in batch.opaque):
        return None
    batch.kind(expectation.column)
    actual = batch.types[expectation.column]
    held = any(actual in _meant(batch, name) for name in names)
    return gx.answer(expectation, success=held, result={"observed_value": actual})


def _meant(batch: Batch, name: Any) -> tuple[str, ...]:
    """The engine's types that ``name`` means."""
    if name in _PYTHON:
        return _PYTHON[name]
    if isinstance(name, str) and _SQL_NAME.match(name):
        try:
            return (batch.engine.describe(f"SELECT NULL::{name} AS v")["v"],)
        except Exception:  # noqa: BLE001, S110 # whatever the engine says about an unknown type: it is unknown
            pass
    raise CannotCompute(texts.say("quality.unknown_type", type=name))
