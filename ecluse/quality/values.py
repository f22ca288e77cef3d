"""One column's values that count for a metric: those that are there, in the rows that are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecluse.engine.sql import quote
from ecluse.quality.batch import Batch, Unknown
from ecluse.quality.shortcuts import COUNT

if TYPE_CHECKING:
    from ecluse.quality.plan import Measure, Plan

NUMBERS = ("integer", "float", "decimal")
TIMES = ("date", "timestamp", "timestamptz")


class Values:
    """``present`` is the SQL condition for the rows whose value counts, ``condition`` that for the rows asked."""

    def __init__(self, plan: Plan, name: str, present: str, condition: str | None) -> None:
        self.plan, self.name, self.present, self.condition = plan, name, present, condition
        self.sql = quote(name)

    @property
    def batch(self) -> Batch:
        """The rows."""
        return self.plan.batch

    @property
    def kind(self) -> str:
        """What they hold."""
        return self.batch.kind(self.name)

    def numeric(self) -> Values:
        """Itself; ``Unknown`` where the values aren't numbers."""
        if self.kind not in NUMBERS:
            raise Unknown("a number is asked of other values")
        return self

    def comparable(self) -> Values:
        """Itself; ``Unknown`` where the values have no order."""
        if self.kind not in (*NUMBERS, *TIMES, "text"):
            raise Unknown("values that have no order")
        return self

    def over(self, expression: str) -> Measure:
        """An aggregate over the values that count."""
        where = "" if self.present == "true" else f" FILTER (WHERE {self.present})"
        return self.plan.aggregate(f"{expression}{where}")

    @property
    def source(self) -> str:
        """A relation of the values that count, as ``v``."""
        return source(self.batch, self.name, self.present)

    @property
    def known(self) -> str | None:
        """A relation of values known to be few: those that count, as ``v``, and how often each occurs, as ``n``."""
        found = None if self.condition else self.plan.frequencies(self.name)
        return found and f"(SELECT {self.sql} AS v, {COUNT} AS n FROM {found} WHERE {self.present})"

    @property
    def counted(self) -> str:
        """A relation of the different values that count, as ``v``, and how often each occurs, as ``n``."""
        known = self.known
        self.batch.note("values" if known else "pass", self.sql if known else f"count(*) GROUP BY {self.sql}")
        return known or f"(SELECT v, count(*) AS n FROM {self.source} GROUP BY v)"


def source(batch: Batch, column: str, present: str) -> str:
    """A relation of the values of ``column`` in rows that meet ``present``, as ``v``."""
    return f"(SELECT {quote(column)} AS v FROM {batch.relation} WHERE {present})"
