"""Write candidate: the computed rows as data files on a branch that no reader of ``main`` sees."""

from __future__ import annotations

from dataclasses import replace

from ecluse.model.contract import Classification, Contract
from ecluse.step.border import computing
from ecluse.step.services import Services
from ecluse.step.state import State


def write_candidate(state: State, services: Services) -> State:
    """Compute the rows once, into files on a branch of their own that is held by a lease."""
    definition, request = state.definition, state.request
    candidate = services.warehouse.begin(
        definition.name,
        state.columns,
        partition=request.partition,
        run_id=request.run_id,
        attempt=request.attempt,
        personal=personal_columns(definition.guard.contract),
    )
    with computing("step.sql", dataset=definition.name):
        candidate = services.warehouse.write(state.engine, candidate, state.computed_sql, definition.update)
    computed = state.engine.scalar(f"SELECT count(*) FROM {services.warehouse.scan_files(candidate)}")
    return replace(state, candidate=candidate, computed=computed)


def personal_columns(contract: Contract) -> list[str]:
    """Columns whose values must not stand in a manifest's bounds."""
    hidden = (Classification.PERSONAL, Classification.SENSITIVE)
    return [c.name for c in contract.columns if c.classification in hidden]


def batch_sql(state: State, services: Services) -> str:
    """The rows that this step adds, as a table that SQL can select from."""
    assert state.candidate is not None
    return services.warehouse.scan_files(state.candidate)


def table_sql(state: State, services: Services) -> str:
    """The snapshot that would result, as a table that SQL can select from."""
    assert state.candidate is not None
    assert state.candidate.snapshot_id is not None
    return services.warehouse.scan(state.definition.name, state.candidate.snapshot_id)
