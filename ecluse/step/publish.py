"""Publish: the one commit point, where tables, facts, events and the idempotency key move together or not at all."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ecluse.errors import Conflict, DefinitionError, EcluseError
from ecluse.model.canonical import digest
from ecluse.model.outcome import Scope
from ecluse.model.update import RESOLVED
from ecluse.step import trace
from ecluse.step.account import reconciled
from ecluse.step.attest import check_report, held_partitions, publication_facts
from ecluse.step.candidate import resolve, standing_files
from ecluse.step.check import check_again
from ecluse.step.closure import confirm_known
from ecluse.step.compactions import as_written
from ecluse.step.decide import decide
from ecluse.step.pin import inputs_json
from ecluse.step.resolved import overwrites
from ecluse.step.services import Services
from ecluse.step.state import Ending, State
from ecluse.store.schema import publications

#: How often a step tries again after somebody else published other partitions of the same dataset first.
_TRIES = 24
#: How many seconds a step may wait before such a try, at most, for each one before it.
_WAIT = 0.05


def find_published(state: State, services: Services) -> State:
    """End the step early where exactly this is published already: the same code and suite on the same inputs.

    ``force`` computes it again; ``DefinitionError`` where that would append the same rows a second time.
    """
    state = replace(state, key=idempotency_key(state))
    appends = state.definition.update == "append"
    if state.request.dry_run or (state.request.force and not appends):
        return state
    found = _published(state, services)
    if found and state.request.force:
        raise DefinitionError("step.force_append", dataset=state.definition.name)
    return replace(state, ending=Ending.UNCHANGED, previous=found) if found else state


def idempotency_key(state: State) -> str:
    """SHA-256 of asset, partition, inputs, code, suite and mode.

    Where a function reads what can't be known beforehand (resources, no declared input), its run takes their place:
    another attempt of the run finds what the one before published, and another run computes again.
    """
    request = state.request
    settings = None if request.settings is None else digest(request.settings)
    return key_of(state, settings=settings, resources=request.resources, run=request.run_id)


def key_of(state: State, *, settings: str | None, resources: bool, run: str) -> str:
    """The idempotency key of what was computed under these settings (their digest), with resources or not."""
    definition, request = state.definition, state.request
    known = state.collection is not None or (state.inputs and (state.sql is not None or not resources))
    return digest(
        {
            "dataset": definition.name,
            "partition": request.partition,
            "inputs": [[p.param, p.dataset, p.content] for p in state.inputs],
            "raw": [r.sha256 for r in state.collection.inputs] if state.collection else [],
            "code": state.code_version,
            # NOTE: what was published under an older suite was never asked what the new one asks.
            "suite": state.suite.digest,
            "settings": None if state.sql is not None else settings,
            "run": None if known else run,
            "update": definition.updating,
        }
    )


def publish(state: State, services: Services) -> State:
    """Move ``main`` and append the facts in one transaction; after a lost race, rebase and try again.

    ``Conflict`` where the same partition was published by somebody else, or the race is lost again and again.
    """
    if state.collection is not None:
        state.collection.confirm_unchanged()
    for tried in range(_TRIES):
        assert state.candidate is not None
        candidates = [c for c in (state.candidate, state.quarantine) if c is not None]
        # NOTE: who published the same since this step began did so before the base of its candidate (seen here), or
        # after it (a conflict below, and then seen here).
        again = state.request.force and state.definition.update != "append"
        if not again and (found := _published(state, services)):
            for candidate in candidates:
                services.warehouse.discard(candidate)
            return replace(state, candidate=None, quarantine=None, ending=Ending.UNCHANGED, previous=found)
        try:
            prepared = services.warehouse.prepare(candidates)
            facts = publication_facts(state, services)
            events = trace.complete(state, services)
            version = _version(state, services)
            with services.database.transaction() as connection:
                prepared.apply(connection)
                services.log.append(connection, facts)
                services.events.append(connection, events)
                record(connection, state, version)
                confirm_known(services, state.definition.name, [p.as_input() for p in state.inputs], connection)
        except Conflict:
            # NOTE: a backfill publishes many partitions at once; who waits a little longer each time asks less often.
            time.sleep(random.uniform(0, _WAIT * tried))  # noqa: S311 - only spreads the tries
            state = rebase(state, services)
            if state.ending is Ending.BLOCKED:
                return state
            continue
        for candidate in candidates:
            # NOTE: it is published, whatever hinders the cleaning; what stays is swept.
            with contextlib.suppress(EcluseError):
                services.warehouse.drop_computed(candidate)
        return replace(state, ending=Ending.PUBLISHED, version=version)
    raise Conflict("step.moved", dataset=state.definition.name, tries=_TRIES)


def rebase(state: State, services: Services) -> State:
    """Stand the same files on today's ``main``, or what its rows mean there; ask again what is asked of the table."""
    assert state.candidate is not None
    assert state.accounting is not None
    candidate, accounting = state.candidate, state.accounting
    quarantine = services.warehouse.rebase(state.quarantine) if state.quarantine else None
    try:
        state = replace(state, candidate=services.warehouse.rebase(candidate), quarantine=quarantine)
    except Conflict:
        if state.batch is None or overwrites(state):
            raise
        # NOTE: somebody else published what these rows were held against: they are held against it again.
        state = replace(state, candidate=services.warehouse.restart(candidate), quarantine=quarantine)
        state = resolve(state, services)
    state = replace(state, accounting=reconciled(state, services, accounting))
    return decide(check_again(state, services, frozenset({Scope.TABLE})), services)


def _published(state: State, services: Services) -> dict[str, Any] | None:
    """The publication with this step's key, where its files are what ``main`` holds today (or, appended, among it)."""
    dataset, partition = state.definition.name, state.request.partition
    query = select(publications.c.result).where(publications.c.key == state.key)
    with services.database.reading() as connection:
        row = connection.execute(query).first()
    head = services.warehouse.head(dataset) if row else None
    if row is None or head is None:
        return None
    found: dict[str, Any] = json.loads(row.result)
    whole, parts = state.definition.update == "replace" and partition is None, {partition}
    if state.definition.update == "partition":
        parts = set(found["partitions"])
    there = [f.sha256 for f in services.warehouse.files(dataset, head) if whole or f.partition in parts]
    files, content = Counter(there), Counter(found["content"])
    if not content <= files:
        files, content = as_written(services, dataset, there), as_written(services, dataset, found["content"])
    stands = content == files if state.definition.update in ("replace", "partition") else content <= files
    return found if stands else None


def _version(state: State, services: Services) -> tuple[str, ...]:
    """The hashes of what the step's partition consists of, as steps wrote it; of an append, of what it brought."""
    assert state.candidate is not None
    resolved = state.definition.update in RESOLVED
    files = standing_files(state, services) if resolved else state.candidate.content
    return tuple(sorted(as_written(services, state.definition.name, (f.sha256 for f in files)).elements()))


def record(connection: Connection, state: State, version: tuple[str, ...]) -> None:
    """Remember what was published, under its key: a rerun of the same only reports, and releases name their inputs."""
    assert state.candidate is not None
    assert state.report is not None
    result = {
        "snapshot_id": str(state.candidate.snapshot_id),
        "rows": state.candidate.rows,
        "quarantined": state.quarantined,
        "quarantine_by_check": dict(state.quarantine_by_check),
        "update": state.definition.update,
        "contract_digest": state.definition.guard.contract.digest,
        "suite_digest": state.suite.digest,
        "code_version": state.code_version,
        "content": [f.sha256 for f in state.candidate.content],
        "version": version,
        "partitions": sorted({f.partition or "all" for f in state.candidate.content}),
        "held": held_partitions(state),
        "inputs": inputs_json(state),
        "checks": check_report(state.report)["checks"],
        "raw": [r.origin for r in state.collection.inputs] if state.collection else [],
    }
    # NOTE: the same content may be published again after something else was (a rollback by rerunning): its row moves.
    connection.execute(delete(publications).where(publications.c.key == state.key))
    connection.execute(
        insert(publications).values(
            key=state.key,
            dataset=state.definition.name,
            partition=state.request.partition,
            snapshot_id=str(state.candidate.snapshot_id),
            run_id=state.request.run_id,
            at=datetime.now(UTC).isoformat(),
            result=json.dumps(result),
        )
    )
