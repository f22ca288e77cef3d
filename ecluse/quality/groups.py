"""The size of the smallest group of rows that look alike: k-anonymity as an expectation of GX."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from ecluse.engine import generalised_sql, quote
from ecluse.model.contract import Column, KAnonymity
from ecluse.quality import gx


def smallest_group(asked: KAnonymity, columns: Sequence[Column], meta: dict[str, Any]) -> gx.Expectation:
    """The expectation that each combination of what readers see is shared by at least ``k`` rows.

    Its query finds the sizes of smaller groups, and nothing of what is in them.
    """
    known = {column.name: column for column in columns}
    # NOTE: GX reads braces in a query as placeholders.
    shown = [
        _shown(known[name]).replace("{", "' || chr(123) || '").replace("}", "' || chr(125) || '")
        for name in asked.columns
    ]
    query = f"SELECT count(*) AS size FROM {{batch}} GROUP BY {', '.join(shown)} HAVING count(*) < {asked.k}"
    return _kind()(unexpected_rows_query=query, column_list=list(asked.columns), k=asked.k, meta=meta)


def _shown(column: Column) -> str:
    return quote(column.name) if column.generalise is None else generalised_sql(column)


@cache
def _kind() -> Any:
    """The class, made when GX is first needed. To derive from its expectation is GX's own way to name a query."""
    base: Any = gx.expectations().UnexpectedRowsExpectation

    class ExpectSmallestGroupToBeAtLeast(base):  # type: ignore[misc]
        """Each combination of the columns is shared by at least ``k`` rows."""

        column_list: list[str]
        k: int

    return ExpectSmallestGroupToBeAtLeast
