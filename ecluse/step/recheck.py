"""Checks again what is published: the whole suite, freshness included, as evidence about the published files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ecluse.errors import DefinitionError, NotComputed
from ecluse.ledger import sign
from ecluse.model.leaving import waivers
from ecluse.model.outcome import CheckReport, Scope
from ecluse.model.step import StepDefinition
from ecluse.quality import check, guarded_suite
from ecluse.quality.detect import detect
from ecluse.step import trace
from ecluse.step.attest import check_report, file_subjects
from ecluse.step.measured import table_files
from ecluse.step.services import Services
from ecluse.step.waived import waive


def check_published(services: Services, definition: StepDefinition, at: datetime | None = None) -> CheckReport:
    """Ask the current suite of the published snapshot, sign the answer, and give it.

    ``at`` is the moment at which freshness is judged (default: the profile's); only a profile that replays history
    takes one, else it is a ``DefinitionError``. ``NotComputed`` where nothing is published.
    """
    warehouse, dataset, started = services.warehouse, definition.name, services.project.now()
    if at is not None and services.project.replay_at is None:
        # NOTE: as of an earlier day stale data is fresh, and the door would open for it.
        raise DefinitionError("step.at_outside_replay", profile=services.project.profile)
    snapshot = warehouse.head(dataset) if warehouse.exists(dataset) else None
    if snapshot is None:
        raise NotComputed("step.input_unpublished", dataset=dataset)
    files = warehouse.files(dataset, snapshot)
    guarded = guarded_suite(definition.guard, dataset)
    judged_at = at or services.project.data_now()
    with services.engine() as engine:
        published = warehouse.scan(dataset, snapshot)
        files_of = dict.fromkeys(Scope, table_files(services, dataset, snapshot))
        checked = check(engine, guarded, dict.fromkeys(Scope, published), data_now=judged_at, files=files_of)
        personal = detect(engine, published, guarded.contract.columns)
        results = waive(engine, checked, waivers(services.log.facts(kind="decision"), dataset))
    report = CheckReport(
        dataset=dataset,
        suite_digest=guarded.digest,
        contract_digest=definition.guard.contract.digest,
        checks=tuple(replace(r, quarantined=0) for r in results),
        rows=sum(f.rows for f in files),
        personal=personal,
    )
    fact = services.fact(
        "evidence",
        file_subjects(files),
        {
            "about": "check-report",
            "on": "published",
            "dataset": dataset,
            "partition": None,
            "snapshot_id": str(snapshot),
            "judged_at": judged_at.isoformat(),
            **check_report(report),
        },
    )
    events = trace.check_run(services, definition, report, snapshot, started)
    envelope = sign(fact, services.signer)
    with services.database.transaction() as connection:
        services.log.append(connection, [envelope])
        services.events.append(connection, events)
    return report
