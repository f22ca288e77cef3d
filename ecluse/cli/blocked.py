"""The newest run of a dataset that published nothing: its reasons, its checks, and rows that show what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecluse.cli.rows import Rows, hidden
from ecluse.model.names import BROKE
from ecluse.model.outcome import Scope

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading
    from ecluse.model.step import StepDefinition
    from ecluse.warehouse.candidate import Branch


@dataclass(frozen=True)
class Blocked:
    """One partition whose newest run was blocked or failed: the run's reasons, and the checks that don't hold."""

    dataset: str
    partition: str | None
    outcome: str
    run_id: str
    reasons: tuple[str, ...]
    checks: tuple[dict[str, Any], ...] = field(default=())

    @property
    def name(self) -> str:
        """The dataset, with its partition where it has some."""
        return self.dataset + (f" [{self.partition}]" if self.partition else "")


def blocked_runs(project: Reading, dataset: str) -> list[Blocked]:
    """Every partition of a dataset whose newest run published nothing, in the order of those runs."""
    found: dict[str | None, Blocked] = {}
    checks: dict[str, tuple[dict[str, Any], ...]] = {}
    for signed in project.log.facts():
        said = signed.fact.predicate
        if said.get("dataset") != dataset:
            continue
        if signed.fact.kind == "evidence" and said.get("run_id"):
            checks[said["run_id"]] = tuple(c for c in said["checks"] if c["outcome"] != "held")
        if signed.fact.kind == "run":
            partition, run_id = said["partition"], said["run_id"]
            found.pop(partition, None)
            if said["outcome"] in ("blocked", "failed"):
                reasons = tuple(said["reasons"])
                found[partition] = Blocked(dataset, partition, said["outcome"], run_id, reasons, checks.get(run_id, ()))
    return list(found.values())


def candidate_of(project: Reading, run: Blocked) -> Branch | None:
    """The candidate that a blocked run left, if it is still there."""
    start, middle = f"{run.dataset}/{run.partition or 'all'}/", f"/{run.run_id}/"
    # NOTE: a run may have gone on from what another one left: it is then the holder, and not in the branch's name.
    of_run = [b for b in project.warehouse.candidates() if run.run_id == b.holder or middle in b.branch]
    matching = [b for b in of_run if b.branch.startswith(start)]
    return matching[-1] if matching else None


def example_rows(project: Reading, definition: StepDefinition, run: Blocked, branch: Branch, limit: int = 3) -> Rows:
    """Rows of a candidate that broke a critical promise; empty where no single row did."""
    from ecluse.engine import Engine
    from ecluse.quality import check, guarded_suite

    contract = definition.guard.contract
    partitions = {run.partition} if run.partition else None
    scan = project.warehouse.scan(branch.dataset, branch.snapshot_id, partitions)
    with Engine() as engine:
        guarded = guarded_suite(definition.guard, definition.name)
        checked = check(engine, guarded, {Scope.BATCH: scan}, data_now=project.project.data_now())
        if checked.failing_sql is None:
            return Rows((), ())
        sql = f"SELECT * REPLACE (array_to_string({BROKE}, ', ') AS {BROKE}) FROM ({checked.failing_sql}) LIMIT {limit}"
        rows = Rows(tuple(engine.describe(sql)), tuple(engine.rows(sql)))
    shown = hidden(rows, {column.name: column.classification for column in contract.columns})
    return shown.picked(telling_columns(contract.key, run.checks))


def telling_columns(key: Sequence[str], checks: Sequence[dict[str, Any]]) -> list[str]:
    """The columns that show what was wrong: the key, those that broken checks name, and what was broken."""
    return list(dict.fromkeys([*key, *(column for check in checks for column in check["columns"]), BROKE]))
