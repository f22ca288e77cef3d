"""The checks of ``benchmarks.order_checks`` as a Great Expectations suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.order_checks import SUITES, Check


def suite(rows: int, name: str = "20") -> Any:
    """``20``, ``40`` or the ``plain`` ones, about a table of so many rows."""
    import great_expectations as gx

    return gx.ExpectationSuite("orders", expectations=[expectation(check, rows) for check in SUITES[name]])


def expectation(check: Check, rows: int) -> Any:
    """One check as an expectation."""
    import great_expectations.expectations as gxe

    name, of = check.column, check.given
    low, high = of if isinstance(of, tuple) else (of, of)
    bounds = {"column": name, "min_value": low, "max_value": high}
    made: dict[str, Callable[[], Any]] = {
        "rows": lambda: gxe.ExpectTableRowCountToEqual(value=rows),
        "present": lambda: gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=check.least),
        "unique": lambda: gxe.ExpectColumnValuesToBeUnique(column=name),
        "unique together": lambda: gxe.ExpectCompoundColumnsToBeUnique(column_list=[name, of]),
        "between": lambda: gxe.ExpectColumnValuesToBeBetween(**bounds),
        "in": lambda: gxe.ExpectColumnValuesToBeInSet(column=name, value_set=of, mostly=check.least),
        "not in": lambda: gxe.ExpectColumnValuesToNotBeInSet(column=name, value_set=of),
        "matches": lambda: gxe.ExpectColumnValuesToMatchRegex(column=name, regex=of),
        "length": lambda: gxe.ExpectColumnValueLengthsToBeBetween(**bounds),
        "later": lambda: gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=name, column_B=of, ignore_row_if="either_value_is_missing"
        ),
        "mean": lambda: gxe.ExpectColumnMeanToBeBetween(**bounds),
        "median": lambda: gxe.ExpectColumnMedianToBeBetween(**bounds),
        "deviation": lambda: gxe.ExpectColumnStdevToBeBetween(**bounds),
        "min": lambda: gxe.ExpectColumnMinToBeBetween(**bounds),
        "max": lambda: gxe.ExpectColumnMaxToBeBetween(**bounds),
        "sum": lambda: gxe.ExpectColumnSumToBeBetween(**bounds),
        "z": lambda: gxe.ExpectColumnValueZScoresToBeLessThan(column=name, threshold=of, double_sided=True),
        "different": lambda: gxe.ExpectColumnUniqueValueCountToBeBetween(**bounds),
    }
    return made[check.kind]()
