"""Checks a dataset's promises on the tables of a step or on what is published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ecluse import texts
from ecluse.model import names
from ecluse.model.contract import Classification
from ecluse.model.outcome import CheckResult, Outcome, Scope, Severity
from ecluse.model.tablefiles import TableFiles
from ecluse.quality import gx
from ecluse.quality.batch import Batch, CannotCompute
from ecluse.quality.compiled import freshness_parameters
from ecluse.quality.evaluation import GX_ROW_LIMIT, Answer, Evaluation
from ecluse.quality.promises import GuardedSuite, Promise
from ecluse.quality.rows import split

if TYPE_CHECKING:
    from ecluse.engine import Engine

_HIDDEN = (names.ORIGIN, names.BROKE, names.REASON, names.RUN, names.PARTITION, names.RAW, names.ROW)
#: Counts only: a record never holds samples of values.
_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
#: What a result says about columns that aren't public.
_COUNTED = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)
#: Results that say nothing about single values.
_VALUE_FREE = (
    "expect_table_",
    "expect_column_proportion_",
    "expect_column_unique_value_count_",
    "expect_column_type_",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_to_exist",
    "unexpected_rows_expectation",
    "expect_smallest_group_",
)


@dataclass(frozen=True)
class Checked:
    """What a check found.

    ``failing_sql`` selects every row of the batch that breaks a critical row-level expectation of scope batch, also
    where ``mostly`` holds, with the names of all that it broke in ``_broke``; ``None`` where there is no such row.
    ``passing_sql`` selects all other rows. Both run on the same engine, and are ``None`` without a batch.
    """

    results: tuple[CheckResult, ...]
    gx_result: gx.SuiteResult
    failing_sql: str | None
    passing_sql: str | None
    rows: int


def check(
    engine: Engine,
    guarded: GuardedSuite,
    tables: Mapping[Scope, str],
    *,
    data_now: datetime,
    gx_row_limit: int = GX_ROW_LIMIT,
    files: Mapping[Scope, TableFiles | None] | None = None,
) -> Checked:
    """Ask each promise of the table of its scope; promises whose scope isn't in ``tables`` aren't asked.

    ``tables`` maps a scope to what can follow ``FROM``; it must give the same rows in the same order each time (a scan
    of files, a table). ``data_now`` is the moment as of which freshness is judged; without a zone it is UTC. ``files``
    are the data files of a scope's table, where what was measured of a file before should not be measured again.
    """
    data_now = data_now if data_now.tzinfo else data_now.replace(tzinfo=UTC)
    parameters = freshness_parameters(guarded.contract.freshness, data_now)
    found: dict[str, tuple[CheckResult, gx.ValidationResult]] = {}
    failing: str | None = None
    passing: str | None = None
    for relation in dict.fromkeys(tables.values()):
        # One evaluation for all scopes of the same rows: what they ask is scanned for together.
        scopes = [scope for scope, other in tables.items() if other == relation]
        asked = [p for p in guarded.promises if p.scope in scopes]
        if not asked and Scope.BATCH not in scopes:
            continue
        batch = Batch(engine, relation, hidden=_HIDDEN)
        run = Evaluation(
            batch,
            [p.expectation for p in asked],
            _COUNTS,
            parameters=parameters,
            gx_row_limit=gx_row_limit,
            files=_files(guarded, (files or {}).get(scopes[0])),
        )
        answers = list(run.answers)
        if Scope.BATCH in scopes:
            failing, passing = _split(batch, run, asked, answers)
        for promise, answer in zip(asked, answers, strict=True):
            found[promise.name] = _result(guarded, promise, answer)
    ordered = [found[p.name] for p in guarded.promises if p.name in found]
    first = tables.get(Scope.BATCH) or next(iter(tables.values()))
    return Checked(
        results=tuple(result for result, _ in ordered),
        gx_result=gx.suite_result(
            guarded.dataset, [raw for _, raw in ordered], {"ecluse": {"suite_digest": guarded.digest}}
        ),
        failing_sql=failing,
        passing_sql=passing,
        rows=engine.scalar(f"SELECT count(*) FROM {first}"),
    )


def _files(guarded: GuardedSuite, files: TableFiles | None) -> TableFiles | None:
    """``files``, without copies of columns that may be personal: in doubt they may."""
    if files is None:
        return None
    known = {Classification.PUBLIC, Classification.INTERNAL}
    return replace(files, copied=frozenset(c.name for c in guarded.contract.columns if c.classification in known))


def _split(batch: Batch, run: Evaluation, asked: list[Promise], answers: list[Answer]) -> tuple[str | None, str]:
    """The statements for failing and passing rows. An answer whose rows can't be found becomes "not computed"."""
    broken: dict[str, str | list[int]] = {}
    for index, (promise, answer) in enumerate(zip(asked, answers, strict=True)):
        counted = answer.result.result.get("unexpected_count") if answer.message is None else 0
        of_rows = promise.row_level and promise.scope is Scope.BATCH
        if of_rows and promise.severity is Severity.CRITICAL and counted:
            try:
                broken[promise.name] = run.broken_rows(index)
            except CannotCompute as error:
                answers[index] = Answer(gx.failure(promise.expectation, str(error)), "gx", str(error), foreign=True)
    return split(batch, broken)


def _result(guarded: GuardedSuite, promise: Promise, answer: Answer) -> tuple[CheckResult, gx.ValidationResult]:
    raw = answer.result
    public = guarded.public(promise.columns)
    shown = dict(raw.result or {})
    if not public and not promise.type.startswith(_VALUE_FREE):
        # Values of columns that aren't public enter no record; counts do.
        shown = {k: v for k, v in shown.items() if k in _COUNTED}
        raw.result = shown
    message = answer.message or ""
    if message and answer.foreign and not public:
        message = texts.say("quality.hidden_message", type=promise.type)
        raw.exception_info = {"raised_exception": True, "exception_message": message, "exception_traceback": ""}
    outcome = Outcome.HELD if raw.success else Outcome.BROKEN
    if answer.message is not None:
        outcome = Outcome.NOT_COMPUTED
    result = CheckResult(
        name=promise.name,
        type=promise.type,
        columns=promise.columns,
        severity=promise.severity,
        scope=promise.scope,
        outcome=outcome,
        kwargs=promise.kwargs,
        element_count=shown.get("element_count"),
        unexpected_count=shown.get("unexpected_count"),
        observed=_observed(shown.get("observed_value")),
        message=message,
        row_level=promise.row_level,
        executed_by=answer.executed_by,
        description=promise.description,
    )
    return result, raw


def _observed(value: Any) -> Any:
    """A measured value as a number or short text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"
