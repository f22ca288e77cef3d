"""Write candidate: the computed rows as data files on a branch that no reader of ``main`` sees."""

from __future__ import annotations

from dataclasses import replace

from ecluse.errors import EcluseError, NotComputed
from ecluse.model.contract import Classification, Contract
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
    try:
        candidate = services.warehouse.write(state.engine, candidate, state.computed_sql, definition.update)
        computed = state.engine.scalar(f"SELECT count(*) FROM {services.warehouse.scan_files(candidate)}")
    except EcluseError:
        services.warehouse.discard(candidate)
        raise
    except Exception as error:
        services.warehouse.discard(candidate)
        if type(error).__module__.split(".")[0].strip("_") == "duckdb":
            raise NotComputed("step.sql", dataset=definition.name, error=str(error).splitlines()[0]) from error
        raise
    return replace(state, candidate=candidate, computed=computed)


def personal_columns(contract: Contract) -> list[str]:
    """Columns whose values must not stand in a manifest's bounds."""
    return [
        c.name for c in contract.columns if c.classification in (Classification.PERSONAL, Classification.SENSITIVE)
    ]


def batch_sql(state: State, services: Services) -> str:
    """The rows that this step adds, as a table that SQL can select from."""
    assert state.candidate is not None
    return services.warehouse.scan_files(state.candidate)


def table_sql(state: State, services: Services) -> str:
    """The snapshot that would result, as a table that SQL can select from."""
    assert state.candidate is not None
    assert state.candidate.snapshot_id is not None
    return services.warehouse.scan(state.definition.name, state.candidate.snapshot_id)
