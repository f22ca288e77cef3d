"""Which of the rows that break a check were released from quarantine by a person's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ecluse.engine import Engine, literal, quote
from ecluse.model.leaving import Waiver
from ecluse.model.names import BROKE, ORIGIN
from ecluse.model.outcome import CheckResult
from ecluse.quality import Checked


def waive(engine: Engine, checked: Checked, waivers: Iterable[Waiver]) -> tuple[CheckResult, ...]:
    """The results with the number of rows that are waived from each: broken as they were, and said to be decided upon.

    Only rows that a decision names by their origin are, and only from the checks that they had broken then.
    """
    waived: dict[str, set[str]] = {}
    for waiver in waivers:
        for origin, checks in waiver.rows.items():
            waived.setdefault(origin, set()).update(checks)
    if not waived or checked.failing_sql is None or ORIGIN not in engine.describe(checked.failing_sql):
        return checked.results
    named = ", ".join(literal(origin) for origin in waived)
    counts: Counter[str] = Counter()
    # NOTE: an origin that came twice is two rows; each was released, or neither was.
    for origin, broke in engine.rows(
        f"SELECT {quote(ORIGIN)}, {BROKE} FROM ({checked.failing_sql}) WHERE {quote(ORIGIN)} IN ({named})"
    ):
        counts.update(name for name in broke if name in waived[origin])
    return tuple(replace(r, waived=counts[r.name]) if counts[r.name] else r for r in checked.results)
