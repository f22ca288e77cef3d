"""Preview: what publishing a candidate would change, in rows and in what the checks observe; counts, never values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ecluse.engine import Engine
from ecluse.errors import NotComputed
from ecluse.model.outcome import CheckResult, Outcome, Scope, Severity
from ecluse.model.release import TableVersion
from ecluse.quality import GuardedSuite, check
from ecluse.step.check import only
from ecluse.step.diff import Difference, diff_versions
from ecluse.warehouse import Warehouse


@dataclass(frozen=True)
class Answer:
    """What a check says of one side: ``observed`` only where values of its columns may be shown."""

    outcome: Outcome
    unexpected_count: int | None
    observed: Any = None


@dataclass(frozen=True)
class Metric:
    """One check before and after: ``before`` is ``None`` where nothing of the partition is published."""

    check: str
    severity: Severity
    before: Answer | None
    after: Answer

    @property
    def changed(self) -> bool:
        """Whether publishing would change the answer; without one before, whether the new one isn't that it holds."""
        return self.after.outcome is not Outcome.HELD if self.before is None else self.before != self.after


@dataclass(frozen=True)
class Preview:
    """What a candidate would change of what it stands on.

    ``moved`` says that something else was published since: it would then be put on top of that, or refused.
    """

    dataset: str
    partition: str | None
    difference: Difference
    metrics: tuple[Metric, ...]
    moved: bool


def preview(
    engine: Engine,
    warehouse: Warehouse,
    suite: GuardedSuite,
    snapshot_id: int,
    partition: str | None,
    *,
    key: Sequence[str],
    data_now: datetime,
) -> Preview:
    """Compare a candidate's snapshot with the one it stands on, and ask the suite of its partition on both sides.

    Rows are compared by ``key``; whole rows where it repeats. Only data files that the two don't share are compared.
    """
    dataset = suite.dataset
    base = warehouse.stands_on(dataset, snapshot_id)
    asked = only(suite, lambda scope, _row: scope is not Scope.PUBLISHED)

    def answers(snapshot: int) -> tuple[CheckResult, ...]:
        part = warehouse.scan(dataset, snapshot, None if partition is None else {partition})
        tables = {Scope.BATCH: part, Scope.TABLE: warehouse.scan(dataset, snapshot)}
        return check(engine, asked, tables, data_now=data_now).results

    there = base is not None and (partition is None or partition in warehouse.partitions(dataset, base))
    before = answers(base) if base is not None and there else ()
    return Preview(
        dataset=dataset,
        partition=partition,
        difference=difference(engine, warehouse, dataset, snapshot_id, key),
        metrics=_metrics(before, answers(snapshot_id)),
        moved=warehouse.head(dataset) != base,
    )


def difference(engine: Engine, warehouse: Warehouse, dataset: str, snapshot_id: int, key: Sequence[str]) -> Difference:
    """What a candidate changes of the snapshot that it stands on, by ``key``; by whole rows where that repeats."""
    base, rows = warehouse.stands_on(dataset, snapshot_id), warehouse.count(engine, dataset, snapshot_id)
    if base is None:
        return Difference(dataset, tuple(key), 0, rows, added=rows, removed=0, changed=0)
    one, other = (TableVersion(dataset, "", snapshot, (), "", "") for snapshot in (base, snapshot_id))
    try:
        found = diff_versions(engine, warehouse, one, other, key)
    except NotComputed as error:
        if error.key != "step.diff_key":
            raise
        found = diff_versions(engine, warehouse, one, other, ())
    return replace(found, rows_before=warehouse.count(engine, dataset, base), rows_after=rows)


def _metrics(before: Iterable[CheckResult], after: Iterable[CheckResult]) -> tuple[Metric, ...]:
    earlier = {result.name: _answer(result) for result in before}
    return tuple(Metric(r.name, r.severity, earlier.get(r.name), _answer(r)) for r in after)


def _answer(result: CheckResult) -> Answer:
    return Answer(result.outcome, result.unexpected_count, result.observed)
