"""The SQL of a coarser value. It has the column's own type, so that a reader's code works on either."""

from __future__ import annotations

from ecluse.engine.sql import literal, quote
from ecluse.model.contract import Column
from ecluse.model.generalise import Generalisation

#: Holds every whole number and every decimal of a column whose band is asked for.
_WIDE = "DECIMAL(38, 9)"


def generalised_sql(column: Column) -> str:
    """What the contract's rule leaves of a column that has one; null stays null."""
    name = quote(column.name)
    if isinstance(column.generalise, tuple):
        cases = "".join(f" WHEN {literal(fine)} THEN {literal(coarse)}" for fine, coarse in column.generalise)
        return f"CASE {name}{cases} END" if cases else "CAST(NULL AS VARCHAR)"
    assert column.generalise is not None, "asked only for a column that has a rule"
    rule = Generalisation.of(column.generalise, column.type)
    if rule.kind == "time":
        return f"CAST(date_trunc({literal(rule.unit)}, {name}) AS {column.type})"
    if rule.kind == "first":
        return f"left({name}, {rule.size})"
    if column.type.upper() in ("FLOAT", "REAL", "DOUBLE"):
        return f"CAST(floor({name} / {rule.size}) * {rule.size} AS {column.type})"
    # NOTE: without a division, which DuckDB makes in floating point; a band that begins below the type's range is null.
    return f"TRY_CAST({name}::{_WIDE} - ({name}::{_WIDE} % {rule.size} + {rule.size}) % {rule.size} AS {column.type})"
