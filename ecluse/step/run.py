"""Carries out one guarded step: the list below, from top to bottom, until a stage ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ecluse.errors import Cancelled, EcluseError
from ecluse.ledger import sign
from ecluse.model.canonical import digest
from ecluse.model.outcome import CheckResult, Outcome, Scope, Severity
from ecluse.model.step import StepDefinition
from ecluse.quality import guarded_suite
from ecluse.step import trace
from ecluse.step.account import account
from ecluse.step.attest import blocked_facts, run_fact
from ecluse.step.candidate import write_candidate
from ecluse.step.check import check
from ecluse.step.compute import compute, prepare
from ecluse.step.decide import decide
from ecluse.step.heartbeat import heartbeat
from ecluse.step.pin import pin
from ecluse.step.preview import preview
from ecluse.step.publish import find_published, publish
from ecluse.step.quarantine import quarantine
from ecluse.step.resume import find_candidate, recall
from ecluse.step.services import Services
from ecluse.step.state import Ending, State, StepRequest, StepResult
from ecluse.step.whole import keep_rows, put_back

Stage = Callable[[State, Services], State]

STAGES: tuple[Stage, ...] = (
    pin,
    prepare,
    find_published,
    find_candidate,
    compute,
    write_candidate,
    check,
    quarantine,
    account,
    decide,
    publish,
)

#: The same for a candidate that an earlier run left: what it was made from is recalled, and not made again.
LATER: tuple[Stage, ...] = (recall, *STAGES[STAGES.index(compute) :])


def run_step(definition: StepDefinition, request: StepRequest, services: Services) -> StepResult:
    """Carry out a step. A blocked step is a result, not an error; errors leave what was published as it was.

    Where the request names a candidate, nothing is computed: its rows go through all stages from the check on.
    """
    stages = STAGES if request.candidate is None else LATER
    with services.engine() as engine:
        state = State(definition, request, engine, guarded_suite(definition.guard, definition.name))
        if not request.dry_run:
            _append_events(services, trace.start(state, services))
        try:
            with heartbeat(services.warehouse, request.run_id):
                for stage in stages:
                    state = stage(state, services)
                    if state.ending is not None:
                        break
        except BaseException as error:
            _failed(state, services, error)
            raise
        finally:
            if state.collection is not None:
                state.collection.close()
        return _result(_closed(state, services))


def _closed(state: State, services: Services) -> State:
    """Record how a step ended that published nothing. A blocked candidate stays on its branch for inspection."""
    if state.ending is Ending.DRY_RUN or (state.ending is Ending.BLOCKED and state.request.dry_run):
        state = _previewed(state, services)
        _give_back(state, services)
        return state
    if state.ending is Ending.BLOCKED:
        state = put_back(state, services)
        if state.candidate is not None:
            services.warehouse.release(state.candidate)
        facts = blocked_facts(state, services)
        with services.database.transaction() as connection:
            services.log.append(connection, facts)
            services.events.append(connection, trace.fail(state, services, trace.Blocked(_reasons(state))))
    elif state.ending is Ending.UNCHANGED:
        envelope = sign(run_fact(state, services, "unchanged"), services.signer)
        with services.database.transaction() as connection:
            services.log.append(connection, [envelope])
            services.events.append(connection, trace.complete(state, services))
    return state


def _previewed(state: State, services: Services) -> State:
    """What a dry run would change, before its candidate goes."""
    assert state.candidate is not None
    assert state.candidate.snapshot_id is not None
    found = preview(
        state.engine,
        services.warehouse,
        state.suite,
        state.candidate.snapshot_id,
        state.request.partition,
        key=state.definition.guard.contract.key,
        data_now=services.project.data_now(),
    )
    return replace(state, preview=found)


def _reasons(state: State) -> str:
    return "; ".join(b.text("en") for b in state.blocks)


def _failed(state: State, services: Services, error: BaseException) -> None:
    """Record that a step failed, as far as that is still possible, and give its branches back."""
    # NOTE: who stops a run wants it to stop, and not to lose what it computed.
    stopped = not isinstance(error, Exception) or isinstance(error, Cancelled)
    try:
        if stopped and not state.request.dry_run:
            keep_rows(state, services)
        _give_back(state, services, keep=stopped)
    except Exception:  # noqa: BLE001 - whatever hinders it, the run is over
        services.warehouse.give_up(state.request.run_id)
    if state.request.dry_run:
        return
    # NOTE: the text of a foreign error may quote a value of the data, so only its type enters the records.
    ours = isinstance(error, EcluseError) and "error" not in error.fields
    said = error.part("received") if isinstance(error, EcluseError) and ours else type(error).__name__
    with contextlib.suppress(Exception):
        envelope = sign(run_fact(state, services, "failed", [said]), services.signer)
        with services.database.transaction() as connection:
            services.log.append(connection, [envelope])
            services.events.append(connection, trace.fail(state, services, error))


def _give_back(state: State, services: Services, *, keep: bool = False) -> None:
    """Delete the branches of this run, also one that a stage began and did not come to tell of.

    With ``keep``, a candidate stays that holds all computed rows: the next run goes on from it. One that somebody asked
    to publish stays in any case.
    """
    warehouse, run_id = services.warehouse, state.request.run_id
    kept = {found.branch for found in warehouse.recalled(state.definition.name)} if keep else set[str]()
    if state.request.candidate is not None:
        kept.add(state.request.candidate)
    for branch in warehouse.candidates():
        if branch.holder == run_id and branch.branch in kept:
            warehouse.release(branch)
        elif branch.holder == run_id:
            warehouse.discard(branch)


def _append_events(services: Services, events: list[dict[str, object]]) -> None:
    with services.database.transaction() as connection:
        services.events.append(connection, events)


def _earlier(previous: Mapping[str, Any]) -> tuple[CheckResult, ...]:
    """The answers by which an unchanged step's data was published: Dagster wants them from each run."""
    return tuple(
        CheckResult(
            **{
                **{name: value for name, value in found.items() if name != "said"},
                "columns": tuple(found["columns"]),
                "severity": Severity(found["severity"]),
                "scope": Scope(found["scope"]),
                "outcome": Outcome(found["outcome"]),
            }
        )
        for found in previous.get("checks", ())
    )


def _result(state: State) -> StepResult:
    assert state.ending is not None
    previous = state.previous or {}
    candidate = state.candidate
    content = [f.sha256 for f in candidate.content] if candidate else previous.get("version", [])
    content = content if state.version is None else list(state.version)
    return StepResult(
        dataset=state.definition.name,
        partition=state.request.partition,
        run_id=state.request.run_id,
        ending=state.ending,
        checks=state.report.checks if state.report else _earlier(previous),
        accounting=state.accounting,
        rows=candidate.rows if candidate else int(previous.get("rows", 0)),
        quarantined=state.quarantined if candidate else int(previous.get("quarantined", 0)),
        quarantine_by_check=state.quarantine_by_check if candidate else previous.get("quarantine_by_check", {}),
        blocks=state.blocks,
        warnings=state.warnings,
        snapshot_id=candidate.snapshot_id if candidate else int(previous.get("snapshot_id", 0)) or None,
        data_version=digest(sorted(content)),
        code_version=state.code_version,
        branch=candidate.branch if candidate else None,
        columns=state.columns,
        lineage=state.lineage,
        sql=state.sql,
        preview=state.preview,
    )
