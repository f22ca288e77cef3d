"""What is recorded of rows that leave quarantine: the publication, the decision, and what lineage hears."""

from __future__ import annotations

from typing import Any

from ecluse.engine import quote
from ecluse.lineage.describe import DatasetInfo
from ecluse.model.facts import Fact, Subject
from ecluse.model.leaving import QUESTION, by_checks
from ecluse.model.names import BROKE, ORIGIN, ROW, quarantine_name
from ecluse.model.release import content_digest
from ecluse.step import trace
from ecluse.step.attest import publication_facts, rows_by_partition
from ecluse.step.held import HELD
from ecluse.step.leave import LEAVE, Work
from ecluse.step.services import Services


def facts_of(work: Work, services: Services) -> list[dict[str, Any]]:
    """The facts of the publication; it says beside them what left quarantine, and what remains there."""
    state = work.state
    assert state.candidate is not None
    assert state.quarantine is not None
    dataset, table = state.definition.name, quarantine_name(state.definition.name)
    assert state.candidate.snapshot_id is not None
    assert state.quarantine.snapshot_id is not None
    standing, held = (
        rows_by_partition(services.warehouse.files(name, snapshot))
        for name, snapshot in ((dataset, state.candidate.snapshot_id), (table, state.quarantine.snapshot_id))
    )
    return publication_facts(
        state,
        services,
        {
            "standing": standing,
            "quarantine": {
                "snapshot_id": str(state.quarantine.snapshot_id),
                "rows": 0,
                "by_check": {},
                "by_partition": held,
            },
            "left": {"move": work.asked.move, "rows": work.leave, "by_check": counts_of(work), **work.held},
        },
    )


def decision_of(work: Work, services: Services) -> Fact:
    """Who let the rows leave, why, how many, and what they broke; of released ones their origins, and nothing else."""
    state, asked = work.state, work.asked
    assert state.quarantine is not None
    name = quarantine_name(state.definition.name)
    assert state.quarantine.snapshot_id is not None
    said: dict[str, Any] = {
        "question": QUESTION,
        "verdict": asked.move,
        "dataset": state.definition.name,
        "partition": state.request.partition,
        "reason": asked.reason,
        "run_id": state.request.run_id,
        "rows": work.leave,
        "by_check": counts_of(work),
        "quarantine": {
            "previous_snapshot_id": str(work.head),
            "snapshot_id": str(state.quarantine.snapshot_id),
            "by_partition": rows_by_partition(services.warehouse.files(name, state.quarantine.snapshot_id)),
            **work.held,
        },
    }
    if asked.move == "released":
        said["waived"] = by_checks(broke_by(work))
    before = content_digest(services.warehouse.files(name, work.head))
    return services.fact("decision", (Subject(f"{name}#{work.head}", before),), said)


def events_of(work: Work, services: Services) -> list[dict[str, Any]]:
    """A run of its own, from the quarantine and the file to the dataset."""
    state, contract = work.state, work.state.definition.guard.contract
    assert state.candidate is not None
    name = quarantine_name(state.definition.name)
    inputs = [DatasetInfo(name, version=str(work.head), rows=work.asked_for)]
    if state.collection is not None:
        columns = {column.name: column.type for column in contract.columns}
        inputs += [
            DatasetInfo.of_file(raw.origin, raw.sha256, raw.bytes, columns=columns, licence=contract.licence)
            for raw in state.collection.inputs
        ]
    output = DatasetInfo.of_contract(
        state.definition.name,
        contract,
        version=str(state.candidate.snapshot_id),
        rows=work.leave,
        files=len(state.candidate.content),
        change="ALTER",
    )
    parameters = {"move": work.asked.move, **({"partition": p} if (p := state.request.partition) else {})}
    return trace.moved(services, "QUARANTINE", state.request.run_id, output, inputs, parameters)


def counts_of(work: Work) -> dict[str, int]:
    """The rows that leave, by what they broke when they were held back."""
    rows = work.state.engine.rows(
        f"SELECT name, count(*) FROM (SELECT unnest(string_split({BROKE}, ', ')) AS name FROM {HELD} "
        f"WHERE {ROW} IN (SELECT {ROW} FROM {LEAVE})) GROUP BY ALL ORDER BY 1"
    )
    return {str(name): int(count) for name, count in rows}


def broke_by(work: Work) -> dict[str, frozenset[str]]:
    """By origin, the checks that the rows broke which leave."""
    rows = work.state.engine.rows(
        f"SELECT {quote(ORIGIN)}, {BROKE} FROM {HELD} WHERE {ROW} IN (SELECT {ROW} FROM {LEAVE})"
    )
    return {str(origin): frozenset(str(broke).split(", ")) for origin, broke in rows}
