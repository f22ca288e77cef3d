"""Check: the suite on exactly what would be published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ecluse.model.outcome import CheckReport, Scope
from ecluse.quality import check as check_suite
from ecluse.quality.detect import detect
from ecluse.step.candidate import batch_sql, table_sql
from ecluse.step.measured import table_files
from ecluse.step.services import Services
from ecluse.step.state import State

if TYPE_CHECKING:
    from ecluse.quality import Checked, GuardedSuite


def check(state: State, services: Services) -> State:
    """Ask every promise of scope batch and table, and look for personal data; freshness waits for what is published."""
    suite = only(state.suite, lambda scope, _row: scope is not Scope.PUBLISHED)
    checked = _asked(state, services, suite)
    contract = state.definition.guard.contract
    report = CheckReport(
        dataset=state.definition.name,
        suite_digest=state.suite.digest,
        contract_digest=contract.digest,
        checks=checked.results,
        rows=state.computed,
        personal=detect(state.engine, batch_sql(state, services), contract.columns),
    )
    return replace(state, checked=checked, report=report)


def check_again(state: State, services: Services, scopes: frozenset[Scope]) -> State:
    """Ask again the promises about whole tables, after rows left or ``main`` moved; single-row answers stand."""
    assert state.report is not None
    suite = only(state.suite, lambda scope, row: scope in scopes and (scope is Scope.TABLE or not row))
    if not suite.promises:
        return state
    newer = {r.name: r for r in _asked(state, services, suite).results}
    checks = tuple(newer.get(r.name, r) for r in state.report.checks)
    return replace(state, report=replace(state.report, checks=checks))


def _asked(state: State, services: Services, suite: GuardedSuite) -> Checked:
    """A suite asked of the rows that the step adds, and of the table that would result at the cost of what changed."""
    candidate, now = state.candidate, services.project.data_now()
    assert candidate is not None
    assert candidate.snapshot_id is not None
    tables = {Scope.BATCH: batch_sql(state, services), Scope.TABLE: table_sql(state, services)}
    files = {}
    if any(promise.scope is Scope.TABLE for promise in suite.promises):
        files[Scope.TABLE] = table_files(services, candidate.dataset, candidate.snapshot_id)
    return check_suite(state.engine, suite, tables, data_now=now, files=files)


def only(suite: GuardedSuite, wanted: object) -> GuardedSuite:
    """The promises of a suite that ``wanted(scope, row_level)`` accepts."""
    assert callable(wanted)
    return replace(suite, promises=tuple(p for p in suite.promises if wanted(p.scope, p.row_level)))
