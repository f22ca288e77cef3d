"""Re-entry: rows leave quarantine, corrected or as they are, through the stages that every row goes through.

``fix`` brings rows back that a person corrected: those that still break a promise stay. ``release`` brings them back as
they are, by a person's decision, which every later report names. ``drop`` lets them go for good. Each is one
transaction: what is published, what remains in quarantine, and the signed decision that says who and why.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

from ecluse.engine import Engine, literal, quote
from ecluse.errors import Conflict, DefinitionError
from ecluse.ledger import sign
from ecluse.model.accounting import RowAccounting
from ecluse.model.canonical import digest
from ecluse.model.leaving import Move, Waiver, waivers
from ecluse.model.names import BROKE, ORIGIN, PARTITION, ROW, RUN, quarantine_name
from ecluse.model.outcome import CheckReport, Scope
from ecluse.model.step import In, StepDefinition
from ecluse.model.update import RESOLVED
from ecluse.quality import check as check_suite
from ecluse.quality import guarded_suite
from ecluse.sources import Collection
from ecluse.step.account import reconciled
from ecluse.step.candidate import batch_sql, personal_columns, write_rows
from ecluse.step.check import only
from ecluse.step.compute import code_version
from ecluse.step.corrected import corrected
from ecluse.step.decide import decide
from ecluse.step.heartbeat import heartbeat
from ecluse.step.held import HELD, PLACE, named, read_held
from ecluse.step.leave import GIVEN, LEAVE, Asked, Left, Work
from ecluse.step.leave_facts import broke_by, counts_of, decision_of, events_of, facts_of
from ecluse.step.partition import PART, parted
from ecluse.step.publish import rebase, record
from ecluse.step.quarantine import quarantine_columns
from ecluse.step.services import Services
from ecluse.step.state import Block, Ending, Pinned, State, StepRequest
from ecluse.step.unreadable import REJECTED
from ecluse.step.waived import waive
from ecluse.warehouse import Change

_TRIES = 8
Stage = Callable[[Work, Services], Work]


def leave_quarantine(services: Services, definition: StepDefinition, asked: Asked) -> Left:
    """Let rows leave quarantine. What blocks them is a result, and then nothing moved.

    ``DefinitionError`` where the rows can't be meant: none chosen, not there any more, of several partitions, a line
    that could not be read or a row without an origin that is to be released. ``Conflict`` where a run is at work on the
    partition.
    """
    if not asked.reason.strip():
        raise DefinitionError("step.quarantine_reason")
    run_id = str(uuid.uuid4())
    with services.engine() as engine, heartbeat(services.warehouse, run_id):
        work = _begun(services, definition, asked, engine, run_id)
        try:
            for stage in STAGES[asked.move]:
                work = stage(work, services)
                if work.state.ending is not None:
                    break
            return _published(work, services) if not work.state.blocks else _left(work)
        finally:
            if work.state.collection is not None:
                work.state.collection.close()
            # NOTE: after a publication nothing of the run is left to discard.
            for branch in services.warehouse.candidates():
                if branch.holder == run_id:
                    services.warehouse.discard(branch)


def _begun(services: Services, definition: StepDefinition, asked: Asked, engine: Engine, run_id: str) -> Work:
    """The rows that are asked for, named and counted, and the step that they go through: one that adds rows."""
    contract, name = definition.guard.contract, definition.name
    head = read_held(engine, services.warehouse, name, contract)
    update = definition.update if definition.update in ("merge", "history") else "append"
    adding = replace(
        definition,
        update=update,
        ins=(),
        grain=None,
        filters={},
        deduplicate_by=(),
        totals={},
        look_ups={},
        coherent=False,
        closes_missing=False,
    )
    state = State(adding, StepRequest(run_id), engine, guarded_suite(definition.guard, name))
    columns = {c.name: c.type for c in contract.columns}
    if services.warehouse.head(name) is None or ORIGIN in services.warehouse.columns(name, _head(services, name)):
        columns[ORIGIN] = "VARCHAR"
    state = replace(state, columns=columns, code_version=code_version(definition, None))
    if asked.file is not None:
        given, raw = corrected(engine, services.project.raw, definition, asked.file)
        kept = Collection("", None, (), (raw,), services.project.state / "tmp" / run_id)
        state = replace(state, collection=kept)
    else:
        given = f"SELECT * FROM {HELD} WHERE {asked.chosen.condition(name)}"
    engine.run(f"CREATE OR REPLACE TEMP TABLE {GIVEN} AS {given}")
    count = int(engine.scalar(f"SELECT count(*) FROM {GIVEN}"))
    if not count:
        raise DefinitionError("step.quarantine_none", dataset=name)
    parts = [part for (part,) in engine.rows(f"SELECT DISTINCT {PARTITION} FROM {GIVEN} ORDER BY 1")]
    if len(parts) > 1 and asked.move != "dropped":
        raise DefinitionError(
            "step.quarantine_partitions", dataset=name, partitions=", ".join(str(part or "–") for part in parts)
        )
    request = replace(state.request, partition=parts[0] if len(parts) == 1 else None)
    state = replace(state, request=request, computed=count, key=digest({"left": name, "run": run_id}))
    if asked.move == "released":
        _confirm_releasable(state)
    engine.run(f"CREATE OR REPLACE TEMP TABLE {LEAVE} AS SELECT {ROW} FROM {GIVEN}")
    standing = waivers(services.log.facts(kind="decision"), name)
    state = replace(state, inputs=_inputs(services, state))
    return Work(asked, state, head, definition.update == "append", count, count, standing=standing)


def _head(services: Services, dataset: str) -> int:
    head = services.warehouse.head(dataset)
    assert head is not None
    return head


def _confirm_releasable(state: State) -> None:
    """``DefinitionError`` for what can't be released: it is no row, or no report could say later which one it was."""
    dataset, run = state.definition.name, state.engine
    lines = int(run.scalar(f"SELECT count(*) FROM {GIVEN} WHERE {BROKE} = {literal(REJECTED)}"))
    if lines:
        raise DefinitionError("step.quarantine_lines", dataset=dataset, rows=lines)
    without = int(run.scalar(f"SELECT count(*) FROM {GIVEN} WHERE {quote(ORIGIN)} IS NULL"))
    if without or ORIGIN not in state.columns:
        raise DefinitionError("step.quarantine_origin", dataset=dataset, rows=without or state.computed)


def _inputs(services: Services, state: State) -> tuple[Pinned, ...]:
    """What the rows were made from, as the publications of the runs say that held them back."""
    runs = {str(run) for (run,) in state.engine.rows(f"SELECT DISTINCT {RUN} FROM {GIVEN}")}
    found: dict[tuple[str, str], Pinned] = {}
    for signed in services.log.facts(kind="publication"):
        said = signed.fact.predicate
        if said["dataset"] != state.definition.name or said["run_id"] not in runs:
            continue
        for one in said["inputs"]:
            parts = None if one["partitions"] is None else frozenset(one["partitions"])
            pinned = In(one["dataset"], one["dataset"])
            found[one["dataset"], one["content"]] = Pinned(
                pinned.param, pinned.dataset, int(one["snapshot_id"]), one["content"], (), "", {}, parts
            )
    return tuple(found.values())


# ---- the stages


def judge(work: Work, services: Services) -> Work:
    """Ask of each corrected row what is asked of single rows: those that break a critical promise stay."""
    state, run = work.state, work.state.engine
    rows = ", ".join(quote(name) for name in (ROW, *state.columns))
    suite = only(state.suite, lambda scope, row: scope is Scope.BATCH and row)
    given = {Scope.BATCH: f"(SELECT {rows} FROM {GIVEN})"}
    checked = check_suite(run, suite, given, data_now=services.project.data_now())
    if checked.failing_sql is None:
        return work
    run.run(f"CREATE OR REPLACE TEMP TABLE _ecluse_still AS SELECT {ROW}, {BROKE} FROM ({checked.failing_sql})")
    run.run(f"DELETE FROM {LEAVE} WHERE {ROW} IN (SELECT {ROW} FROM _ecluse_still)")
    names = run.rows(
        f"SELECT name, count(*) FROM (SELECT unnest({BROKE}) AS name FROM _ecluse_still) GROUP BY ALL ORDER BY 1"
    )
    still = {str(name): int(count) for name, count in names}
    leave = int(run.scalar(f"SELECT count(*) FROM {LEAVE}"))
    if not leave:
        state = replace(state, ending=Ending.BLOCKED, blocks=(Block("quarantine_all_stay", {"rows": work.asked_for}),))
    return replace(work, state=state, leave=leave, still=still)


def write(work: Work, services: Services) -> Work:
    """The rows that leave, as a candidate that adds them to what is published."""
    state, definition = work.state, work.state.definition
    own = ", ".join(quote(name) for name in state.columns)
    # NOTE: the contract may have widened a column since the rows were held back.
    typed = ", ".join(f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in state.columns.items())
    sql = f"SELECT {typed} FROM {GIVEN} WHERE {ROW} IN (SELECT {ROW} FROM {LEAVE})"
    candidate = services.warehouse.begin(
        definition.name,
        state.columns,
        partition=state.request.partition,
        run_id=state.request.run_id,
        attempt=1,
        personal=personal_columns(definition.guard.contract),
        renamed=definition.guard.contract.renamed,
        shared=definition.update in RESOLVED,
    )
    state = replace(state, candidate=candidate)
    if definition.partition_by is None:
        return replace(work, state=write_rows(state, services, sql))
    parts = parted(state, f"({sql})", "_ecluse_leaving")
    added: dict[str | None, str] = {
        part: f"SELECT {own} FROM _ecluse_leaving WHERE {PART} = {literal(part)}" for part in parts
    }
    candidate = services.warehouse.change(state.engine, candidate, Change(added), "append")
    return replace(work, state=replace(state, candidate=candidate))


def remain(work: Work, services: Services) -> Work:
    """What remains in quarantine, as a candidate of its own that is published together with the rows that leave."""
    state, run = work.state, work.state.engine
    definition, request = state.definition, state.request
    columns = quarantine_columns(definition.guard.contract)
    candidate = services.warehouse.begin(
        quarantine_name(definition.name),
        columns,
        partition=request.partition,
        run_id=request.run_id,
        attempt=1,
        personal=[*personal_columns(definition.guard.contract), "_raw"],
        renamed=definition.guard.contract.renamed,
        shared=definition.update in RESOLVED,
    )
    if candidate.base != work.head:
        raise Conflict("warehouse.moved", dataset=candidate.dataset)
    own = ", ".join(quote(name) for name in columns)
    leaving = f"{ROW} IN (SELECT {ROW} FROM {LEAVE})"
    places = [place for (place,) in run.rows(f"SELECT DISTINCT {PLACE} FROM {HELD} WHERE {leaving}")]
    added: dict[str | None, str] = {
        place: f"SELECT {own} FROM {HELD} WHERE {PLACE} IS NOT DISTINCT FROM {literal(place)} AND NOT {leaving}"
        for place in places
    }
    change = Change(added=added, whole=True, looks_at=frozenset(places))
    candidate = services.warehouse.change(run, candidate, change, "replace")
    return replace(work, state=replace(state, quarantine=candidate))


def check(work: Work, services: Services) -> Work:
    """Ask the suite of what would be published; rows that a person released count as decided, and as broken.

    Where a step replaces its partition, the promises about its rows are asked of the whole partition as it would be.
    """
    state = work.state
    candidate = state.candidate
    assert candidate is not None
    assert candidate.snapshot_id is not None
    dataset, warehouse = state.definition.name, services.warehouse
    table = warehouse.scan(dataset, candidate.snapshot_id)
    batch = batch_sql(state, services)
    if state.batch is None and not work.appends:
        parts = {file.partition for file in candidate.files}
        batch = warehouse.scan(dataset, candidate.snapshot_id, parts)
    suite = only(state.suite, lambda scope, _row: scope is not Scope.PUBLISHED)
    tables = {Scope.BATCH: batch, Scope.TABLE: table}
    checked = check_suite(state.engine, suite, tables, data_now=services.project.data_now())
    known = work.standing
    if work.asked.move == "released":
        known = (*known, Waiver(dataset, broke_by(work), work.asked.reason, services.project.now(), frozenset(), -1))
    results = waive(state.engine, checked, known)
    contract = state.definition.guard.contract
    report = CheckReport(dataset, state.suite.digest, contract.digest, results, state.computed)
    return replace(work, state=replace(state, checked=checked, report=report))


def account(work: Work, services: Services) -> Work:
    """Law one for the rows that were asked for, and that the quarantine lost just those that left; each is counted."""
    state, run, warehouse = work.state, work.state.engine, services.warehouse
    assert state.quarantine is not None
    assert state.quarantine.snapshot_id is not None
    table = quarantine_name(state.definition.name)
    columns = list(quarantine_columns(state.definition.guard.contract))
    content = warehouse.scan(table, state.quarantine.snapshot_id)
    asked = f"(SELECT {ROW} FROM {GIVEN})"
    stayed = int(run.scalar(f"SELECT count(*) FROM ({named(columns, content)}) WHERE {ROW} IN {asked}"))
    previous, current = (warehouse.count(run, table, s) for s in (work.head, state.quarantine.snapshot_id))
    accounting = None
    if state.candidate is not None:
        left = int(run.scalar(f"SELECT count(*) FROM {batch_sql(state, services)}"))
        accounting = RowAccounting(
            grain=None,
            computed=state.computed,
            published=left,
            quarantined=stayed,
            driving_dataset=table,
            driving=int(run.scalar(f"SELECT count(*) FROM {HELD} WHERE {ROW} IN {asked}")),
        )
        accounting = reconciled(state, services, accounting)
    else:
        left = int(run.scalar(f"SELECT count(*) FROM {HELD} ANTI JOIN ({named(columns, content)}) AS n USING ({ROW})"))
    held = {"previous": previous, "left": left, "current": current}
    blocks = state.blocks
    if previous - left != current or left + stayed != work.asked_for:
        blocks = (*blocks, Block("quarantine_law", {**held, "stayed": stayed, "asked": work.asked_for}))
    return replace(work, state=replace(state, accounting=accounting, blocks=blocks), held=held)


def decided(work: Work, services: Services) -> Work:
    """Every reason not to publish, as for any step."""
    return replace(work, state=decide(work.state, services))


#: What each way to leave goes through. Nothing of what is dropped is published.
STAGES: dict[Move, tuple[Stage, ...]] = {
    "fixed": (judge, write, remain, check, account, decided),
    "released": (write, remain, check, account, decided),
    "dropped": (remain, account),
}


# ---- the commit


def _published(work: Work, services: Services) -> Left:
    """Move both tables and append the facts and the decision in one transaction; after a lost race, try again."""
    for _ in range(_TRIES):
        state = work.state
        candidates = [c for c in (state.candidate, state.quarantine) if c is not None]
        try:
            prepared = services.warehouse.prepare(candidates)
            decision = sign(decision_of(work, services), work.asked.signer)
            facts = facts_of(work, services) if state.candidate is not None else []
            events = events_of(work, services) if facts else []
            with services.database.transaction() as connection:
                prepared.apply(connection)
                position, *_rest = services.log.append(connection, [decision, *facts])
                if facts:
                    services.events.append(connection, events)
                    record(connection, state, tuple(f.sha256 for f in candidates[0].content))
        except Conflict:
            if state.candidate is None:
                raise
            work = replace(work, state=rebase(state, services))
            if work.state.ending is Ending.BLOCKED:
                return _left(work)
            continue
        return _left(replace(work, state=replace(state, ending=Ending.PUBLISHED)), position)
    raise Conflict("step.moved", dataset=work.state.definition.name, tries=_TRIES)


def _left(work: Work, position: int | None = None) -> Left:
    state, done = work.state, position is not None
    return Left(
        dataset=state.definition.name,
        partition=state.request.partition,
        move=work.asked.move,
        left=work.leave if done else 0,
        stayed=work.asked_for - work.leave if done else work.asked_for,
        by_check=counts_of(work) if done else {},
        still=work.still,
        blocks=state.blocks,
        position=position,
        state=state,
    )
