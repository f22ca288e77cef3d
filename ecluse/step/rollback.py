"""Rollback: what is published becomes what a release holds, all of its products in one transaction, for a reason."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert

from ecluse.door.columns import released_columns
from ecluse.errors import DefinitionError, NotComputed, Refused
from ecluse.gate.book import Book
from ecluse.gate.releases import standing_objections
from ecluse.ledger import Signer, sign
from ecluse.lineage.describe import DatasetInfo
from ecluse.model.canonical import digest
from ecluse.model.counts import counted
from ecluse.model.facts import Fact, SignedFact, Subject
from ecluse.model.names import quarantine_name
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.update import INCREMENTAL
from ecluse.model.verdict import Request, Verdict
from ecluse.step import trace
from ecluse.step.compactions import COMPACT
from ecluse.step.services import Services
from ecluse.store.schema import publications

#: The question that a rollback's decision answers.
QUESTION = "rollback"


@dataclass(frozen=True)
class Moved:
    """One table that a rollback moved, from one snapshot to another."""

    dataset: str
    before: int | None
    after: int


def rollback_release(services: Services, signer: Signer, manifest: Manifest, reason: str) -> tuple[Moved, ...]:
    """Move ``main`` of a release's products, and their quarantine, to where the release pinned it; what moved.

    A newer release takes them forward again: what ``main`` leaves stays readable. Where a product moves, ``signer``,
    a person's, signs the decision, and each product that moves gets a ``publication`` fact with ``update="rollback"``,
    which names the same run. What is made from the products isn't touched. ``Refused`` for a release that was
    withdrawn.
    """
    if not reason.strip():
        raise DefinitionError("step.rollback_reason")
    _confirm_not_withdrawn(services, manifest)
    facts = [f for f in services.log.facts() if f.fact.kind in ("publication", "evidence")]
    run_id = str(uuid.uuid4())
    # NOTE: signed before the transaction, because an agent or a token may ask somebody, and others want to write.
    decided = sign(_decision(services, manifest, reason, run_id), signer)
    moved: list[Moved] = []
    signed: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    with services.database.transaction() as connection:
        # NOTE: in the order of their names, like every publication, so that two moves can't wait for each other.
        for product in sorted(manifest.products, key=lambda product: product.dataset):
            made = made_of(facts, product.dataset, product.snapshot_id)
            if not made:
                raise NotComputed("step.unrecorded", dataset=product.dataset, snapshot=product.snapshot_id)
            before = services.warehouse.rollback(product.dataset, product.snapshot_id, connection)
            if before == product.snapshot_id:
                continue
            held = _move_quarantine(services, connection, product.dataset, made)
            _rewrite(connection, product.dataset, made, facts)
            moved.append(Moved(product.dataset, before, product.snapshot_id))
            fact = _fact(services, manifest, product, made, facts, before, held, reason, run_id)
            signed.append(sign(fact, services.signer))
            events += _events(services, product, fact)
        # NOTE: the log last, like every publication: who has it must wait for no table.
        services.log.append(connection, [decided, *signed] if moved else ())
        services.events.append(connection, events)
    return tuple(moved)


def _decision(services: Services, manifest: Manifest, reason: str, run_id: str) -> Fact:
    said = {
        "question": QUESTION,
        "verdict": "rolled-back",
        "version": manifest.version,
        "manifest": manifest.digest,
        "datasets": sorted(product.dataset for product in manifest.products),
        "reason": reason,
        "run_id": run_id,
    }
    # NOTE: about the move and not about the release: whether that opens, other decisions say.
    return services.fact("decision", (Subject(f"{QUESTION}:{manifest.version}", digest(said)),), said)


def _confirm_not_withdrawn(services: Services, manifest: Manifest) -> None:
    # NOTE: the door opens it to nobody, but the next run of what is made from it would read its rows.
    where, charter = services.project, services.charter
    book = Book(charter, [*services.log.facts("decision")], services.trust.parties(), where.name, where.environment)
    asked = Request("", None, manifest.digest, "", None, charter.phase, where.name, where.environment)
    withdrawn = tuple(r for r in standing_objections(asked, charter, book) if r.key == "withdrawn")
    if withdrawn:
        dataset = manifest.products[0].dataset
        raise Refused("step.rollback_refused", verdict=Verdict(withdrawn), dataset=dataset, version=manifest.version)


def made_of(facts: Sequence[SignedFact], dataset: str, snapshot_id: int) -> tuple[SignedFact, ...]:
    """The publications that a snapshot is the sum of, oldest first: each names the snapshot that it stands on.

    A compaction on the way added nothing, and is none of them.
    """
    by_snapshot = {
        f.fact.predicate["snapshot_id"]: f
        for f in facts
        if f.fact.kind == "publication"
        and f.fact.predicate["dataset"] == dataset
        and f.fact.predicate["update"] != "rollback"
    }
    found: list[SignedFact] = []
    wanted = str(snapshot_id)
    while wanted in by_snapshot:
        found.append(by_snapshot.pop(wanted))
        wanted = found[-1].fact.predicate["previous_snapshot_id"]
    return tuple(f for f in reversed(found) if f.fact.predicate["update"] != COMPACT)


def _move_quarantine(
    services: Services, connection: Connection, dataset: str, made: Sequence[SignedFact]
) -> int | None:
    """Let the quarantine be what it was beside the release; its snapshot."""
    name = quarantine_name(dataset)
    told = [f.fact.predicate["quarantine"]["snapshot_id"] for f in made]
    known = [snapshot for snapshot in told if snapshot is not None]
    snapshot = int(known[-1]) if known else None
    if services.warehouse.exists(name):
        services.warehouse.rollback(name, snapshot, connection)
    return snapshot


def _rewrite(connection: Connection, dataset: str, made: Sequence[SignedFact], facts: Sequence[SignedFact]) -> None:
    """Let the index of publications say what is published again: releases take their inputs from it."""
    checks = {
        f.fact.predicate["snapshot_id"]: f.fact.predicate["checks"]
        for f in facts
        if f.fact.kind == "evidence"
        and f.fact.predicate.get("about") == "check-report"
        and f.fact.predicate["dataset"] == dataset
        and f.fact.predicate["on"] == "candidate"
    }
    connection.execute(delete(publications).where(publications.c.dataset == dataset))
    # NOTE: the same content may have been published twice; the newest of them is what is there.
    newest = {f.fact.predicate["idempotency_key"]: f for f in made}
    for key, signed in newest.items():
        said = signed.fact.predicate
        connection.execute(
            insert(publications).values(
                key=key,
                dataset=dataset,
                partition=said["partition"],
                snapshot_id=said["snapshot_id"],
                run_id=said["run_id"],
                at=signed.fact.at.isoformat(),
                result=json.dumps(_result(said, checks.get(said["snapshot_id"], []))),
            )
        )


def _result(said: dict[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    """What a publication recorded of itself, from its fact."""
    same = ("snapshot_id", "update", "contract_digest", "suite_digest", "code_version", "inputs")
    return {
        **{name: said[name] for name in same},
        "rows": sum(f["rows"] for f in said["files"]),
        "quarantined": said["quarantine"]["rows"],
        "quarantine_by_check": said["quarantine"]["by_check"],
        "content": [f["sha256"] for f in said["files"]],
        "version": said.get("version", [f["sha256"] for f in said["files"]]),
        "partitions": sorted({f["partition"] or "all" for f in said["files"]}),
        "held": sorted(said["quarantine"].get("by_partition", ())) if said["update"] == "partition" else [],
        "checks": checks,
        "raw": [r["origin"] for r in said["raw"]],
    }


def _fact(
    services: Services,
    manifest: Manifest,
    product: TableVersion,
    made: Sequence[SignedFact],
    facts: Sequence[SignedFact],
    before: int | None,
    held: int | None,
    reason: str,
    run_id: str,
) -> Fact:
    """The fact of one product's move. It is about the release: its files were attested when they were added."""
    last = made[-1].fact.predicate
    partitions = _partitions(made)
    by_check: Counter[str] = Counter()
    for live in _live(made).values():
        for said in live:
            by_check.update(said["quarantine"]["by_check"])
            by_check.subtract(said.get("left", {}).get("by_check", {}))
    newest = [f.fact.predicate for f in facts if f.fact.predicate.get("dataset") == product.dataset]
    suites = [said["suite_digest"] for said in newest if said.get("suite_digest")]
    columns = released_columns(product, [f for f in facts if f.fact.kind == "publication"])
    predicate = {
        "dataset": product.dataset,
        "partition": None,
        "table_uuid": product.table_uuid,
        "snapshot_id": str(product.snapshot_id),
        "previous_snapshot_id": None if before is None else str(before),
        "update": "rollback",
        "version": manifest.version,
        "reason": reason,
        "run_id": run_id,
        "attempt": 1,
        "code_version": last["code_version"],
        "contract_digest": product.contract_digest,
        # NOTE: data goes back; what is asked of it doesn't, or a rollback could make a stale pass look current.
        "suite_digest": suites[-1],
        "inputs": [],
        "raw": [],
        "files": [],
        "removed": [],
        "partitions": partitions,
        "quarantine": {
            "snapshot_id": None if held is None else str(held),
            "rows": sum(counts["quarantined"] for counts in partitions.values()),
            "by_check": dict(sorted((+by_check).items())),
        },
        **{name: last[name] for name in ("owner", "licence", "legal_basis", "description")},
        "columns": [column.to_json() for column in columns],
    }
    return services.fact("publication", (Subject(f"{product.dataset}@{manifest.version}", manifest.digest),), predicate)


def _events(services: Services, product: TableVersion, fact: Fact) -> list[dict[str, Any]]:
    said = fact.predicate
    output = DatasetInfo(
        product.dataset,
        version=str(product.snapshot_id),
        columns={column["name"]: column["type"] for column in said["columns"]},
        rows=sum(counts["rows"] for counts in said["partitions"].values()),
        owner=said["owner"],
        licence=said["licence"],
        change="OVERWRITE",
    )
    return trace.moved(services, "ROLLBACK", said["run_id"], output, parameters={"version": said["version"]})


def _live(made: Sequence[SignedFact]) -> dict[str, list[dict[str, Any]]]:
    """By partition, the publications that its rows come from: a replacement takes the place of all before it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for signed in made:
        said = signed.fact.predicate
        name = said["partition"] or "all"
        if said["partition"] is None and said["update"] == "replace":
            found.clear()
        found[name] = [*(found.get(name, []) if said["update"] in INCREMENTAL else []), said]
    return found


def _partitions(made: Sequence[SignedFact]) -> dict[str, dict[str, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for signed in made:
        counts = counted(counts, signed.fact.predicate)
    return {name: {"rows": rows, "quarantined": gone} for name, (rows, gone) in counts.items()}
