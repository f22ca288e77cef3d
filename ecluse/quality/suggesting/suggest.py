"""``suggest``: a suite that holds on the data, proposed from their profile and confirmed by the engine itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ecluse.quality import gx
from ecluse.quality.evaluation import Evaluation
from ecluse.quality.profiling.draft import Table
from ecluse.quality.profiling.profile import measure, table_of, told
from ecluse.quality.profiling.references import references
from ecluse.quality.suggesting.proposal import Proposal, Suggestion
from ecluse.quality.suggesting.rules import has_set, propose
from ecluse.quality.validate import opened

if TYPE_CHECKING:
    from ecluse.engine import Watch
    from ecluse.quality.evaluation import Answer
    from ecluse.quality.profiling.found import TableProfile

#: A key with more values than this is no set to write into a suite.
_LISTED = 200
#: What at least this share of the values keeps is proposed with ``mostly``; what fewer keep isn't.
_MOSTLY = 0.95
_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


def suggest(
    data: Any,
    *,
    name: str = "suggested",
    beside: Mapping[str, Any] | None = None,
    classifications: Mapping[str, str] | None = None,
    memory_limit: str | None = None,
    watch: Watch | None = None,
) -> Suggestion:
    """A suite that holds on ``data``, each expectation with its reason, those that say most first.

    ``data``, ``classifications``, ``memory_limit`` and ``watch`` are those of ``profile``. ``beside`` are other tables
    by name: where a column's values are all values of their key, that key is what the column may hold. ``name`` is the
    suite's.

    What the profile proposes is asked of all rows by the engine that validates suites: what doesn't hold is proposed
    with ``mostly``, or left out, and so is what could not be computed. Bounds have room around what the data show, and
    the reason says so. No value of a column that is personal, or looks so, enters the suite.
    """
    with opened(memory_limit, watch) as engine:
        table = table_of(engine, name, data, watch, classifications)
        others = [table_of(engine, other, given, watch) for other, given in (beside or {}).items()]
        for each in (table, *others):
            measure(each)
        profile = told(table)
        proposed = propose(profile, _sets(table, profile), _keys(table, others))
        kept, left_out = _confirmed(table, proposed)
        return Suggestion(name, profile, tuple(kept), tuple(left_out))


def _sets(table: Table, profile: TableProfile) -> dict[str, list[Any]]:
    """All values of the columns that have few."""
    named = [column.name for column in profile.columns if has_set(column)]
    return {name: _all(table, f"SELECT v FROM {table.draft(name).few} ORDER BY v") for name in named}


def _keys(table: Table, others: Sequence[Table]) -> dict[str, tuple[str, list[Any]]]:
    """By column, the short key of another table that holds all of its values, and that key's values."""
    tables = {other.name: other for other in others}
    found = {}
    for reference in references([table, *others]):
        if reference.table != table.name or reference.share < 1 or reference.column in found:
            continue
        target = tables[reference.to_table]
        key = target.draft(reference.to_column)
        if key.kind in ("text", "integer") and not key.withheld and target.rows <= _LISTED:
            values = _all(target, f"SELECT {key.value} FROM {target.batch.relation} ORDER BY 1")
            found[reference.column] = (f"{reference.to_table}.{reference.to_column}", values)
    return found


def _all(table: Table, sql: str) -> list[Any]:
    return [row[0] for row in table.batch.engine.rows(sql)]


def _confirmed(table: Table, proposed: list[Proposal]) -> tuple[list[Proposal], list[tuple[Proposal, str]]]:
    """The proposals that hold, some of them of most values only, and those that are left out."""
    outcome = dict(zip(range(len(proposed)), _asked(table, proposed), strict=True))
    weaker = {i: weak for i, answer in outcome.items() if (weak := _weaker(proposed[i], answer)) is not None}
    again = dict(zip(weaker, _asked(table, list(weaker.values())), strict=True)) if weaker else {}
    kept: list[Proposal] = []
    left_out: list[tuple[Proposal, str]] = []
    for i, proposal in enumerate(proposed):
        final, answer = (weaker[i], again[i]) if i in weaker else (proposal, outcome[i])
        if answer.message is not None:
            left_out.append((proposal, "not_computed"))
        elif answer.result.success:
            kept.append(final)
        else:
            left_out.append((proposal, "broken"))
    return kept, left_out


def _asked(table: Table, proposals: list[Proposal]) -> list[Answer]:
    with gx.quiet():
        expectations = [proposal.expectation() for proposal in proposals]
    return Evaluation(table.batch, expectations, dict(_COUNTS), watch=table.watch).answers


def _weaker(proposal: Proposal, answer: Answer) -> Proposal | None:
    """The same of most values, where enough of them keep it; ``None`` where it holds, or too few do."""
    if answer.message is not None or answer.result.success or not proposal.kwargs.keys().isdisjoint({"mostly"}):
        return None
    counted = answer.result.result
    asked = (counted.get("element_count") or 0) - (counted.get("missing_count") or 0)
    broken = counted.get("unexpected_count")
    if not asked or broken is None or proposal.severity == "critical":
        return None
    mostly = math.floor((1 - broken / asked) * 100) / 100
    return replace(proposal, kwargs={**proposal.kwargs, "mostly": mostly}) if mostly >= _MOSTLY else None
