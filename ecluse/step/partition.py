"""Dynamic partition overwrite: the partitions into which the computed rows fall are replaced, and no others."""

from __future__ import annotations

from ecluse.engine import literal
from ecluse.errors import BrokenData, DefinitionError
from ecluse.model.names import ORIGIN, partition_key
from ecluse.step.border import computing
from ecluse.step.resolved import Resolved, Tally, batch_of, candidate_of, counts, listed
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.warehouse import Change

_PARTED, _LOOSE, PART = "_ecluse_parted", "_ecluse_loose", "_ecluse_part"


def overwrite(state: State, services: Services) -> Resolved:
    """Each partition of the batch with its rows; rows that lie in no partition yet move into theirs."""
    run, candidate, names = state.engine, candidate_of(state), listed(list(state.columns))
    present = parted(state, batch_of(state), _PARTED)
    base = {file.path: file for file in services.warehouse.files(candidate.dataset, candidate.base)}
    # NOTE: another update mode wrote these; left where they are, their partitions would be there twice.
    loose = frozenset(path for path, file in base.items() if file.partition is None)
    carried: dict[str | None, str] = {}
    superseded = 0
    if loose:
        located, _ = services.warehouse.scan_located(candidate, "_ecluse_file", only=loose)
        moving = parted(state, located, _LOOSE)
        superseded = counts(state, _LOOSE, f"{PART} IN ({', '.join(literal(p) for p in present) or 'NULL'})")[0]
        carried = {p: f"SELECT {names} FROM {_LOOSE} WHERE {PART} = {literal(p)}" for p in moving if p not in present}
    added: dict[str | None, str] = {p: f"SELECT {names} FROM {_PARTED} WHERE {PART} = {literal(p)}" for p in present}
    change = Change(
        added=added,
        carried=carried,
        removed=loose,
        whole=True,
        # NOTE: where a row came from first is as true as where it came from last, and no reason to write it again.
        ignores=frozenset({ORIGIN}),
        looks_at=frozenset({None, *present, *carried}),
    )
    rows = int(run.scalar(f"SELECT count(*) FROM {_PARTED}"))
    # NOTE: which partitions are replaced is known only once they are compared: account counts them.
    return Resolved(change, Tally(rows, 0, 0, 0, superseded, 0))


def parted(state: State, rows: str, table: str) -> tuple[str, ...]:
    """Make a table of rows with their partition in the column ``PART``; the partitions, in order."""
    dataset, run = state.definition.name, state.engine
    with computing("step.declared", dataset=dataset, what="partition_by"):
        run.run(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, CAST(({state.definition.partition_by}) AS VARCHAR) "
            f"AS {PART} FROM {rows}"
        )
    found = [p for (p,) in run.rows(f"SELECT DISTINCT {PART} FROM {table} ORDER BY 1 NULLS FIRST")]
    if unfit := [p for p in found if not _fits(p)]:
        (count,) = counts(
            state,
            table,
            f"{PART} IS NULL OR {PART} IN ({', '.join(literal(p) for p in unfit if p is not None) or 'NULL'})",
        )
        raise BrokenData("step.partition_value", dataset=dataset, by=state.definition.partition_by, rows=count)
    return tuple(str(p) for p in found)


def _fits(value: str | None) -> bool:
    try:
        return value is not None and bool(partition_key(value))
    except DefinitionError:
        return False
