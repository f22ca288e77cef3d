"""Quarantine: rows that break a critical promise leave, with what they broke, into a table beside the dataset."""

from __future__ import annotations

from dataclasses import replace

from ecluse.engine import literal, quote
from ecluse.model.contract import Contract
from ecluse.model.names import BROKE, ORIGIN, PARTITION, RAW, REASON, RUN, quarantine_name
from ecluse.model.outcome import CheckReport, CheckResult, Outcome, Scope, Severity
from ecluse.model.update import RESOLVED
from ecluse.step.candidate import personal_columns, write_rows
from ecluse.step.check import check_again
from ecluse.step.partition import PART, parted
from ecluse.step.rerun import add_once
from ecluse.step.services import Services
from ecluse.step.state import Block, State
from ecluse.step.unreadable import REJECTED, outdated, without
from ecluse.warehouse import Candidate, Change


def quarantine(state: State, services: Services) -> State:
    """Split the candidate where the contract quarantines; above ``quarantine_at_most`` nothing moves and it blocks."""
    assert state.checked is not None
    assert state.report is not None
    contract = state.definition.guard.contract
    rejected = state.collection.rejected if state.collection else 0
    failing = _failing(state)
    if contract.on_failure != "quarantine":
        if rejected:
            return _blocked(state, Block("rejected", {"rejected": rejected, "dataset": state.definition.name}))
        # NOTE: the contract may have quarantined before.
        return _write_quarantine(state, services, 0) if _stale(state, services) else state
    state = replace(state, quarantine_by_check=_by_check(state, rejected), quarantined=failing + rejected)
    total = state.computed + rejected
    allowed = contract.quarantine_at_most or 0.0
    if total and (failing + rejected) / total > allowed:
        share = f"{(failing + rejected) / total:.2%}"
        fields: dict[str, str | int] = {
            "rows": failing + rejected,
            "total": total,
            "share": share,
            "allowed": f"{allowed:.2%}",
        }
        return _blocked(state, Block("quarantine_at_most", fields))
    if failing and failing == state.computed:
        return _blocked(state, Block("nothing_left", {"rows": failing}))
    if failing + rejected or _stale(state, services):
        state = _write_quarantine(state, services, rejected)
    if failing:
        state = _keep_passing(state, services)
    return state


def quarantine_columns(contract: Contract) -> dict[str, str]:
    """The columns of a dataset's quarantine: its own, and what is said of each row."""
    own = {column.name: column.type for column in contract.columns}
    return own | dict.fromkeys((ORIGIN, BROKE, REASON, RAW, RUN, PARTITION), "VARCHAR")


def _failing(state: State) -> int:
    assert state.checked is not None
    if state.checked.failing_sql is None:
        return 0
    return int(state.engine.scalar(f"SELECT count(*) FROM ({state.checked.failing_sql})"))


def _by_check(state: State, rejected: int) -> dict[str, int]:
    assert state.checked is not None
    found: dict[str, int] = {}
    if state.checked.failing_sql is not None:
        rows = state.engine.rows(
            f"SELECT name, count(*) FROM (SELECT unnest({BROKE}) AS name FROM ({state.checked.failing_sql})) "
            "GROUP BY name ORDER BY name"
        )
        found = {str(name): int(count) for name, count in rows}
    return found | ({REJECTED: rejected} if rejected else {})


def _stale(state: State, services: Services) -> bool:
    """Whether the quarantine has to move with what is published, though no row leaves."""
    return _had_rows(state, services) or _columns_moved(state, services)


def _had_rows(state: State, services: Services) -> bool:
    """Whether the quarantine holds rows that this run replaces."""
    name = quarantine_name(state.definition.name)
    if state.definition.update not in ("replace", "partition") or not services.warehouse.exists(name):
        return False
    head = services.warehouse.head(name)
    if head is None:
        return False
    # NOTE: a step without partitions stands for the whole dataset, whatever partitions it once had.
    whole = state.definition.update == "replace" and state.request.partition is None
    replaced = _partitions(state)
    if any((whole or f.partition in replaced) and f.rows for f in services.warehouse.files(name, head)):
        return True
    return state.definition.update == "partition" and outdated(state, services, replaced) is not None


def _partitions(state: State) -> tuple[str | None, ...]:
    """The partitions whose quarantine this run replaces."""
    if state.definition.update != "partition":
        return (state.request.partition,)
    assert state.computed_batch is not None
    return parted(state, state.computed_batch, "_ecluse_present")


def _columns_moved(state: State, services: Services) -> bool:
    """Whether this run changes the columns, which the quarantine does in the same move, or it would lose a renaming."""
    assert state.candidate is not None
    name = quarantine_name(state.definition.name)
    changes = state.candidate.schema_id != state.candidate.base_schema_id
    return changes and services.warehouse.exists(name) and services.warehouse.head(name) is not None


def _write_quarantine(state: State, services: Services, rejected: int) -> State:
    assert state.checked is not None
    definition, request = state.definition, state.request
    columns = {c.name: c.type for c in definition.guard.contract.columns}
    every = quarantine_columns(definition.guard.contract)
    mark = f"{literal(request.run_id)} AS {RUN}, {literal(request.partition)}::VARCHAR AS {PARTITION}"
    own = ", ".join(quote(n) for n in columns)
    parts = []
    if state.checked.failing_sql is not None and definition.guard.contract.on_failure == "quarantine":
        origin = quote(ORIGIN) if ORIGIN in state.columns else f"NULL::VARCHAR AS {quote(ORIGIN)}"
        parts.append(
            f"SELECT {own}, {origin}, array_to_string({BROKE}, ', ') AS {BROKE}, NULL::VARCHAR AS {REASON}, "
            f"NULL::VARCHAR AS {RAW}, {mark} FROM ({state.checked.failing_sql})"
        )
    if rejected:
        assert state.collection is not None
        empty = ", ".join(f"NULL::{t} AS {quote(n)}" for n, t in columns.items())
        parts.append(
            f"SELECT {empty}, {quote(ORIGIN)}, {literal(REJECTED)} AS {BROKE}, {REASON}, {RAW}, {mark} "
            f"FROM ({state.collection.rejects_sql})"
        )
    nothing = ", ".join(f"NULL::{t} AS {quote(n)}" for n, t in every.items())
    sql = " UNION ALL ".join(parts) if parts else f"SELECT {nothing} WHERE false"
    candidate = services.warehouse.begin(
        quarantine_name(definition.name),
        every,
        partition=request.partition,
        run_id=request.run_id,
        attempt=request.attempt,
        # NOTE: a rejected line is raw text, which may hold anything.
        personal=[*personal_columns(definition.guard.contract), RAW],
        renamed=definition.guard.contract.renamed,
        shared=definition.update in RESOLVED,
    )
    if definition.update == "partition":
        return replace(state, quarantine=_by_partition(state, services, candidate, sql))
    if definition.update == "replace":
        return replace(state, quarantine=services.warehouse.write(state.engine, candidate, sql, "replace"))
    return replace(state, quarantine=add_once(state, services, candidate, sql))


def _by_partition(state: State, services: Services, candidate: Candidate, sql: str) -> Candidate:
    """The quarantine of every partition in hand; lines that could not be read belong to none, and lie beside them."""
    present = _partitions(state)
    touched, others = without(state, services, candidate, outdated(state, services, present))
    state.engine.run(f"CREATE OR REPLACE TEMP TABLE _ecluse_refused AS {sql}")
    read = f"(SELECT * FROM _ecluse_refused WHERE {BROKE} <> {literal(REJECTED)})"
    parted(state, read, "_ecluse_refused_parts")
    kept = f"SELECT * EXCLUDE ({PART}) FROM _ecluse_refused_parts WHERE {PART} ="
    lines = [f"SELECT * FROM _ecluse_refused WHERE {BROKE} = {literal(REJECTED)}", *([others] if others else [])]
    change = Change(
        added={part: f"{kept} {literal(part)}" for part in present},
        carried={None: " UNION ALL BY NAME ".join(lines)},
        removed=touched,
        whole=True,
        ignores=frozenset({RUN}),
        looks_at=frozenset(present),
    )
    return services.warehouse.change(state.engine, candidate, change, "partition")


def _keep_passing(state: State, services: Services) -> State:
    assert state.checked is not None
    assert state.checked.passing_sql is not None
    assert state.candidate is not None
    report = state.report
    assert report is not None
    kept = ", ".join(quote(n) for n in state.columns)
    # NOTE: the passing rows are read from where the computed ones lie while they are written anew.
    sql = f"SELECT {kept} FROM ({state.checked.passing_sql})"
    if state.candidate.computed is None:
        # NOTE: what remains is not what was computed: nobody may go on from it as if it were.
        state = replace(state, candidate=replace(state.candidate, about={}))
    state = write_rows(replace(state, split=True), services, sql)
    marked = tuple(_mark(c, state.quarantine_by_check) for c in report.checks)
    state = replace(state, report=replace(report, checks=marked))
    return check_again(state, services, frozenset({Scope.BATCH, Scope.TABLE}))


def _mark(result: CheckResult, by_check: object) -> CheckResult:
    assert isinstance(by_check, dict)
    return replace(result, quarantined=by_check.get(result.name, 0))


def _blocked(state: State, block: Block) -> State:
    return replace(state, blocks=(*state.blocks, block))


def unresolved(report: CheckReport) -> tuple[CheckResult, ...]:
    """The checks that stop a publication, critical and broken ones first."""
    blocking = [c for c in report.checks if c.blocks]
    return tuple(sorted(blocking, key=lambda c: (c.outcome is not Outcome.BROKEN, c.severity is not Severity.CRITICAL)))
