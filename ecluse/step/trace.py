"""What a step tells OpenLineage: its start and its end, and a run of its own for its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecluse.errors import BrokenData
from ecluse.lineage import events
from ecluse.lineage.describe import DatasetInfo, JobType, Parent, RunInfo
from ecluse.lineage.namespaces import run_uuid
from ecluse.model.names import ORIGIN
from ecluse.model.outcome import CheckReport
from ecluse.model.step import StepDefinition

if TYPE_CHECKING:
    from ecluse.step.services import Services
    from ecluse.step.state import State

Event = dict[str, Any]


def start(state: State, services: Services) -> list[Event]:
    """The step began."""
    return [events.start(_run(state, services), services.project.now())]


def complete(state: State, services: Services) -> list[Event]:
    """The step's data is published; a run of its own carries what was checked about it."""
    now = services.project.now()
    inputs = _inputs(state)
    output = _output(state)
    found = [events.complete(_run(state, services), now, inputs=inputs, outputs=[output] if output else [])]
    if state.report is not None and output is not None:
        found += _check(state, services, output, now)
    return found


def fail(state: State, services: Services, error: BaseException) -> list[Event]:
    """The step ended without publishing; what it checked is told all the same."""
    now = services.project.now()
    output = _output(state)
    found = [events.fail(_run(state, services), now, error, inputs=_inputs(state), outputs=[output] if output else [])]
    if state.report is not None and output is not None:
        found += _check(state, services, output, now)
    return found


def check_run(
    services: Services, definition: StepDefinition, report: CheckReport, snapshot: int, started: datetime
) -> list[Event]:
    """The suite was asked of what is published."""
    run = RunInfo(
        run_id=run_uuid("check", definition.name, snapshot, started.isoformat()),
        job=f"{definition.name}.published_check",
        project=services.project.name,
        environment=services.project.environment,
        job_type="CHECK",
    )
    dataset = DatasetInfo.of_contract(definition.name, definition.guard.contract, version=str(snapshot))
    return list(events.check_run(run, started, services.project.now(), dataset=dataset, report=report))


def moved(
    services: Services,
    what: JobType,
    run_id: str,
    output: DatasetInfo,
    inputs: Sequence[DatasetInfo] = (),
    parameters: Mapping[str, str] | None = None,
) -> list[Event]:
    """What is published became another version without a run of its step: by a rollback, or as rows left quarantine.

    It tells of no columns: where these come from, the runs say that computed the rows.
    """
    now = services.project.now()
    run = RunInfo(
        run_id=run_uuid(what, run_id, output.name),
        job=f"{output.name}.{what.lower()}",
        project=services.project.name,
        environment=services.project.environment,
        job_type=what,
        parameters=dict(parameters or {}),
    )
    return [events.start(run, now), events.complete(run, now, inputs=inputs, outputs=[output])]


class Blocked(BrokenData):
    """Why a step was blocked, as the error that lineage shows."""

    def __init__(self, reasons: str) -> None:
        super().__init__("step.blocked", reasons=reasons)


def _check(state: State, services: Services, dataset: DatasetInfo, now: datetime) -> list[Event]:
    assert state.report is not None
    run = RunInfo(
        run_id=run_uuid("check", _run_id(state)),
        job=f"{state.definition.name}.check",
        project=services.project.name,
        environment=services.project.environment,
        job_type="CHECK",
        parent=Parent(_run_id(state), state.definition.name),
        partition=state.request.partition,
    )
    return list(events.check_run(run, now, now, dataset=dataset, report=state.report))


def _run_id(state: State) -> str:
    """Each attempt is a run of its own: one that failed can't begin again."""
    request = state.request
    return request.run_id if request.attempt == 1 else run_uuid(request.run_id, request.attempt)


def _run(state: State, services: Services) -> RunInfo:
    definition, request = state.definition, state.request
    return RunInfo(
        run_id=_run_id(state),
        job=definition.name,
        project=services.project.name,
        environment=services.project.environment,
        job_type="SOURCE" if definition.kind == "source" else "ASSET",
        parent=Parent(request.dagster_run_id, "dagster") if request.dagster_run_id else None,
        partition=request.partition,
        sql=state.sql,
        description=definition.description,
        owner=definition.guard.contract.owner,
        code_version=state.code_version,
        parameters={"update": definition.update, "attempt": str(request.attempt)},
    )


def _inputs(state: State) -> list[DatasetInfo]:
    pinned = [
        DatasetInfo(
            p.dataset,
            version=str(p.snapshot_id),
            columns={k: v for k, v in p.columns.items() if k != ORIGIN},
            rows=p.rows,
            bytes=sum(f.bytes for f in p.files),
            files=len(p.files),
        )
        for p in state.inputs
    ]
    contract = state.definition.guard.contract
    raw = [
        DatasetInfo.of_file(
            r.origin, r.sha256, r.bytes, columns={c.name: c.type for c in contract.columns}, licence=contract.licence
        )
        for r in (state.collection.inputs if state.collection else ())
    ]
    return pinned + raw


def _output(state: State) -> DatasetInfo | None:
    candidate = state.candidate
    if candidate is None or candidate.snapshot_id is None:
        return None
    return DatasetInfo.of_contract(
        state.definition.name,
        state.definition.guard.contract,
        version=str(candidate.snapshot_id),
        rows=candidate.rows,
        bytes=sum(f.bytes for f in candidate.content),
        files=len(candidate.content),
        change="OVERWRITE" if state.definition.update in ("replace", "partition") else "ALTER",
        lineage=state.lineage,
    )
