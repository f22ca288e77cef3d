"""A row condition as SQL: which rows an expectation is asked of."""

from __future__ import annotations

from typing import Any

from ecluse.engine.sql import quote
from ecluse.quality import gx
from ecluse.quality.batch import Batch, Unknown
from ecluse.quality.literals import comparable, members


def condition_sql(batch: Batch, condition: Any, parser: str | None = None) -> str | None:
    """SQL that is true or false (never null) for each row; ``None`` where there is no condition.

    Reads GX's condition objects, their JSON form, and the older text form ``col("x") > 1``. Text for pandas' own
    ``query`` is ``Unknown``: only pandas knows what it means.
    """
    rows = gx.module("great_expectations.expectations.row_conditions")
    if condition is None:
        return None
    if isinstance(condition, str):
        if parser not in ("great_expectations", "great_expectations__experimental__"):
            raise Unknown("a condition in the language of another engine")
        condition = gx.module("great_expectations.expectations.expectation")._convert_string_to_condition(condition)  # noqa: SLF001 # the only reader of the older form
    if isinstance(condition, dict):
        condition = rows.deserialize_row_condition(condition)
    if isinstance(condition, rows.NullityCondition):
        missing = batch.missing(condition.column.name)
        return missing if condition.is_null else f"(NOT {missing})"
    if isinstance(condition, rows.ComparisonCondition):
        return _comparison(
            batch,
            condition.column.name,
            str(getattr(condition.operator, "value", condition.operator)),
            condition.parameter,
        )
    if isinstance(condition, (rows.AndCondition, rows.OrCondition)):
        word = " AND " if isinstance(condition, rows.AndCondition) else " OR "
        return "(" + word.join(str(condition_sql(batch, part)) for part in condition.conditions) + ")"
    raise Unknown(f"a {type(condition).__name__}")


def _comparison(batch: Batch, column: str, operator: str, parameter: Any) -> str:
    """A comparison as pandas sees it: a missing value is unequal to everything, and neither less nor more."""
    name, missing = quote(column), batch.missing(column)
    if operator in ("IN", "NOT_IN"):
        values = ", ".join(members(batch, column, parameter))
        found = f"(NOT {missing} AND {name} IN ({values}))" if values else "false"
        return found if operator == "IN" else f"(NOT {found})"
    value = comparable(batch, column, parameter)
    if operator == "!=":
        return f"({missing} OR {name} <> {value})"
    return f"(NOT {missing} AND {name} {'=' if operator == '==' else operator} {value})"
