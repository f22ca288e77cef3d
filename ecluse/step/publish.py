"""Publish: the one commit point, where tables, facts, events and the idempotency key move together or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ecluse.errors import Conflict
from ecluse.model.canonical import digest
from ecluse.model.outcome import Scope
from ecluse.step import trace
from ecluse.step.attest import check_report, inputs_json, publication_facts
from ecluse.step.check import check_again
from ecluse.step.decide import decide
from ecluse.step.services import Services
from ecluse.step.state import Ending, State
from ecluse.store.schema import publications

#: How often a step tries again after somebody else published other partitions of the same dataset first.
_TRIES = 8


def find_published(state: State, services: Services) -> State:
    """End the step early where exactly this was published already: the same code on the same inputs."""
    key = idempotency_key(state)
    state = replace(state, key=key)
    if key is None or state.request.force or state.request.dry_run:
        return state
    found = _newest(services, state)
    if found is None or found["key"] != key:
        return state
    return replace(state, ending=Ending.UNCHANGED, previous=found)


def idempotency_key(state: State) -> str | None:
    """SHA-256 of asset, partition, inputs, code version and mode; ``None`` where inputs can't be known beforehand."""
    definition = state.definition
    if not state.inputs and state.collection is None:
        return None
    return digest(
        {
            "dataset": definition.name,
            "partition": state.request.partition,
            "inputs": [[p.dataset, p.content] for p in state.inputs],
            "raw": [r.sha256 for r in state.collection.inputs] if state.collection else [],
            "code": state.code_version,
            "update": definition.update,
        }
    )


def publish(state: State, services: Services) -> State:
    """Move ``main`` and append the facts in one transaction; after a lost race, rebase and try again.

    ``Conflict`` where the same partition was published by somebody else, or the race is lost again and again.
    """
    if state.collection is not None:
        state.collection.confirm_unchanged()
    for _ in range(_TRIES):
        assert state.candidate is not None
        candidates = [c for c in (state.candidate, state.quarantine) if c is not None]
        prepared = services.warehouse.prepare(candidates)
        facts = publication_facts(state, services)
        events = trace.complete(state, services)
        try:
            with services.database.transaction() as connection:
                prepared.apply(connection)
                services.log.append(connection, facts)
                services.events.append(connection, events)
                _record(connection, state)
        except Conflict:
            state = _rebase(state, services)
            if state.ending is Ending.BLOCKED:
                return state
            continue
        return replace(state, ending=Ending.PUBLISHED)
    raise Conflict("step.moved", dataset=state.definition.name, tries=_TRIES)


def _rebase(state: State, services: Services) -> State:
    """Stand the same files on today's ``main``, and ask again what is asked of the whole table."""
    assert state.candidate is not None
    candidate = services.warehouse.rebase(state.candidate)
    quarantine = services.warehouse.rebase(state.quarantine) if state.quarantine else None
    state = replace(state, candidate=candidate, quarantine=quarantine)
    return decide(check_again(state, services, frozenset({Scope.TABLE})), services)


def _newest(services: Services, state: State) -> dict[str, Any] | None:
    """The newest publication of this dataset and partition; for appends, the one with this key."""
    partition = publications.c.partition
    query = select(publications.c.key, publications.c.snapshot_id, publications.c.result).where(
        publications.c.dataset == state.definition.name,
        partition.is_(None) if state.request.partition is None else partition == state.request.partition,
    )
    if state.definition.update == "append":
        query = query.where(publications.c.key == state.key)
    with services.database.reading() as connection:
        row = connection.execute(query.order_by(publications.c.at.desc()).limit(1)).first()
    return {**json.loads(row.result), "key": row.key} if row else None


def _record(connection: Connection, state: State) -> None:
    assert state.candidate is not None
    key = state.key or digest([state.definition.name, state.request.run_id, state.request.attempt])
    result = {
        "snapshot_id": str(state.candidate.snapshot_id),
        "rows": sum(f.rows for f in state.candidate.files),
        "quarantined": state.quarantined,
        "contract_digest": state.definition.guard.contract.digest,
        "suite_digest": state.suite.digest,
        "code_version": state.code_version,
        "content": [f.sha256 for f in state.candidate.files],
        "inputs": inputs_json(state),
        "checks": check_report(state.report)["checks"] if state.report else [],
        "raw": [r.origin for r in state.collection.inputs] if state.collection else [],
    }
    # NOTE: the same content may be published again after something else was (a rollback by rerunning): its row moves.
    connection.execute(delete(publications).where(publications.c.key == key))
    connection.execute(
        insert(publications).values(
            key=key,
            dataset=state.definition.name,
            partition=state.request.partition,
            snapshot_id=str(state.candidate.snapshot_id),
            run_id=state.request.run_id,
            at=datetime.now(UTC).isoformat(),
            result=json.dumps(result),
        )
    )
