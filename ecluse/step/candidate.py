"""Write candidate: the computed rows as data files on a branch that no reader of ``main`` sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ecluse.model.contract import Classification, Contract
from ecluse.model.release import DataFile
from ecluse.model.update import RESOLVED
from ecluse.step.border import computing
from ecluse.step.described import described
from ecluse.step.history import history
from ecluse.step.merge import merge
from ecluse.step.partition import overwrite
from ecluse.step.resolved import Resolved, listed
from ecluse.step.services import Services
from ecluse.step.state import State

#: Where the computed rows wait that are held against what is published.
_BATCH = "_ecluse_batch"


def write_candidate(state: State, services: Services) -> State:
    """Compute the rows once, into files on a branch of their own that is held by a lease, if none was taken up."""
    if state.candidate is not None:
        return _counted(_resolved_anew(state, services), services)
    definition, request = state.definition, state.request
    candidate = services.warehouse.begin(
        definition.name,
        state.columns,
        partition=request.partition,
        run_id=request.run_id,
        attempt=request.attempt,
        personal=personal_columns(definition.guard.contract),
        renamed=definition.guard.contract.renamed,
        shared=definition.update in RESOLVED,
    )
    # NOTE: what follows from the rows is not the rows: nobody may go on from it while these aren't kept beside it.
    candidate = replace(candidate, about={} if definition.update in RESOLVED else described(state))
    with computing("step.sql", dataset=definition.name):
        state = write_rows(replace(state, candidate=candidate), services, state.computed_sql)
    return _counted(state, services)


def _resolved_anew(state: State, services: Services) -> State:
    """The rows that another run computed and kept, held against what is published today."""
    if state.definition.update not in RESOLVED:
        return state
    assert state.candidate is not None
    rows = services.warehouse.scan_computed(state.candidate)
    state.engine.run(f"CREATE OR REPLACE TEMP TABLE {_BATCH} AS SELECT {listed(list(state.columns))} FROM {rows}")
    return resolve(replace(state, batch=_BATCH, computed_batch=_BATCH), services)


def _counted(state: State, services: Services) -> State:
    return replace(state, computed=state.engine.scalar(f"SELECT count(*) FROM {batch_sql(state, services)}"))


def write_rows(state: State, services: Services, sql: str) -> State:
    """Make a query's rows the ones that the step brings, and write what that means for the published files."""
    assert state.candidate is not None
    update = state.definition.update
    if update not in RESOLVED:
        return replace(state, candidate=services.warehouse.write(state.engine, state.candidate, sql, update))
    first = state.computed_batch is None
    batch = _BATCH if first else "_ecluse_batch_passing"
    state.engine.run(f"CREATE OR REPLACE TEMP TABLE {batch} AS {sql}")
    return resolve(replace(state, batch=batch, computed_batch=state.computed_batch or batch), services)


def resolve(state: State, services: Services) -> State:
    """Find out, by the update mode, what the rows mean for what is published where the candidate stands; write that."""
    assert state.candidate is not None
    definition, warehouse = state.definition, services.warehouse
    resolved = _MODES[definition.update](state, services)
    candidate = warehouse.change(state.engine, state.candidate, resolved.change, definition.update)
    tally = resolved.tally
    if resolved.change.whole:
        compared = [file for file in candidate.removed if file.path not in resolved.change.removed]
        tally = replace(
            tally,
            unchanged=sum(file.rows for file in candidate.kept),
            replaced=tally.replaced + warehouse.count(state.engine, definition.name, candidate.base, only=compared),
            added=sum(file.rows for file in candidate.files),
        )
    return replace(state, candidate=candidate, tally=tally)


#: The update modes that look at what is published.
_MODES: Mapping[str, Callable[[State, Services], Resolved]] = {
    "merge": merge,
    "partition": overwrite,
    "history": history,
}


def standing_files(state: State, services: Services) -> tuple[DataFile, ...]:
    """What the step's partition, or the whole dataset, consists of in the candidate's snapshot."""
    assert state.candidate is not None
    assert state.candidate.snapshot_id is not None
    partition = state.request.partition
    files = services.warehouse.files(state.definition.name, state.candidate.snapshot_id)
    return tuple(file for file in files if partition is None or file.partition == partition)


def personal_columns(contract: Contract) -> list[str]:
    """Columns whose values must not stand in a manifest's bounds: those that nobody classified may be personal."""
    hidden = (Classification.PERSONAL, Classification.SENSITIVE, Classification.UNCLASSIFIED)
    return [c.name for c in contract.columns if c.classification in hidden]


def batch_sql(state: State, services: Services) -> str:
    """The rows that this step brings, as a table that SQL can select from.

    Where the update mode looks at what is published, these are all rows that it was given: what is added is among them.
    """
    if state.batch is not None:
        return state.batch
    assert state.candidate is not None
    return services.warehouse.scan_files(state.candidate)


def table_sql(state: State, services: Services) -> str:
    """The snapshot that would result, as a table that SQL can select from."""
    assert state.candidate is not None
    assert state.candidate.snapshot_id is not None
    return services.warehouse.scan(state.definition.name, state.candidate.snapshot_id)
