"""The record of a read: a signed fact and OpenLineage events, in the log of reads, which is the reader's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ecluse.door.identity import Reader
from ecluse.door.records import Records
from ecluse.gate import asks_unreleased
from ecluse.ledger import Log, sign
from ecluse.lineage import DatasetInfo, EventStore, RunInfo, run_uuid
from ecluse.model.facts import Fact, Subject
from ecluse.model.release import Manifest
from ecluse.model.verdict import Request, Verdict
from ecluse.store import Database


def record_read(
    records: Records,
    reader: Reader,
    requests: Sequence[Request],
    manifest: Manifest | None,
    found: Verdict,
    shown: Mapping[str, Mapping[str, str]],
    at: datetime,
) -> None:
    """Record that a reader asked, what the answer was, and which columns were shown how; names only, no value.

    Nobody without a key can sign, so a caller without one leaves no record: nothing was handed over either.
    """
    if reader.signer is None:
        return
    project, asked = records.project, requests[0]
    subjects = [Subject(f"{r.dataset}@{manifest.version}", manifest.digest) for r in requests] if manifest else []
    predicate = {
        "datasets": [r.dataset for r in requests],
        "version": manifest.version if manifest else asked.version,
        "purpose": asked.purpose,
        "phase": asked.phase,
        "reader": reader.party,
        "authenticated": reader.authenticated,
        "released": not asks_unreleased(asked.phase, records.charter),
        "opens": found.opens,
        "reasons": sorted({reason.key for reason in found.reasons}),
        "columns": {f"{d}.{column}": way for d, columns in shown.items() for column, way in columns.items()},
    }
    fact = Fact("read", tuple(subjects), predicate, at, project.name, project.environment)
    events = _decisions(records, requests, manifest, found, at)
    if manifest and found.opens:
        events += _reads(records, requests, manifest, shown, at)
    # NOTE: signed before the transaction, because an agent or a token may ask the reader, and others want to write.
    envelope = sign(fact, reader.signer)
    database = Database(project.reads_url)
    try:
        with database.transaction() as connection:
            Log(database, records.trust).append(connection, [envelope])
            EventStore(database).append(connection, events)
    finally:
        database.close()


def _decisions(
    records: Records, requests: Sequence[Request], manifest: Manifest | None, found: Verdict, at: datetime
) -> tuple[dict[str, object], ...]:
    """What the gate said of each dataset that was asked for, open or refused, as a run of its own."""
    from ecluse.lineage.events import gate_run

    project = records.project
    versions = {p.dataset: str(p.snapshot_id) for p in manifest.products} if manifest else {}
    told: tuple[dict[str, object], ...] = ()
    for request in requests:
        run = RunInfo(
            run_id=run_uuid("gate", request.dataset, request.release, request.reader, request.purpose, at.isoformat()),
            job=f"gate.{request.dataset}",
            project=project.name,
            environment=project.environment,
        )
        dataset = DatasetInfo(name=request.dataset, version=versions.get(request.dataset))
        told += gate_run(run, at, project.now(), dataset=dataset, request=request, verdict=found)
    return told


def _reads(
    records: Records,
    requests: Sequence[Request],
    manifest: Manifest,
    shown: Mapping[str, Mapping[str, str]],
    at: datetime,
) -> tuple[dict[str, object], ...]:
    from ecluse.lineage.events import read_run

    project, purpose = records.project, requests[0].purpose
    run = RunInfo(
        run_id=run_uuid("read", manifest.digest, requests[0].reader, purpose, at.isoformat()),
        job=f"read.{requests[0].dataset}",
        project=project.name,
        environment=project.environment,
        parameters={"version": manifest.version},
    )
    datasets = [
        DatasetInfo(
            name=product.dataset,
            version=str(product.snapshot_id),
            columns=dict.fromkeys(shown[product.dataset], ""),
            rows=product.rows,
            bytes=sum(f.bytes for f in product.files),
            files=len(product.files),
        )
        for product in manifest.products
        if product.dataset in shown
    ]
    return read_run(run, at, project.now(), datasets=datasets, purpose=purpose)
