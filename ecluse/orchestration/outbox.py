"""Hands lineage on: every event to NDJSON files, and from the outbox to the configured transports."""

from __future__ import annotations

import logging
from pathlib import Path

import dagster as dg

from ecluse.errors import EcluseError
from ecluse.lineage.store import EventStore
from ecluse.orchestration.resources import EcluseResource
from ecluse.project import Project
from ecluse.step.services import Services, open_services
from ecluse.store import Database

logger = logging.getLogger("ecluse.lineage")


def hand_on(project: Project, services: Services | None = None) -> str:
    """Export new events to ``lineage/events`` and forward what waits; a line that says what was done.

    A folder or backend that doesn't answer changes nothing for a run: it is logged, and the events wait.
    """
    opened = services or open_services(project)
    folder = project.root / "lineage" / "events"
    try:
        told = [_deliver(project, opened.events, folder)]
        # NOTE: what the door said and who read stands in the readers' own database, which need not be here.
        if (project.state / "reads.db").is_file():
            reads = Database(project.reads_url)
            told.append(_deliver(project, EventStore(reads), folder / "reads"))
            reads.close()
        return "; ".join(told)
    except (EcluseError, OSError) as error:
        logger.warning("lineage is not handed on: %s", error)
        return str(error)
    finally:
        if services is None:
            opened.close()


def _deliver(project: Project, events: EventStore, folder: Path) -> str:
    grown = events.export(folder)
    config = project.root / "lineage" / "openlineage.yml"
    if not config.is_file():
        return f"{len(grown)} files grew"
    found = events.forward(config)
    if found.error:
        logger.warning("lineage is not forwarded: %s; %d events wait", found.error, found.waiting)
    return f"{len(grown)} files grew, {found.sent} events sent, {found.waiting} wait"


def outbox_sensor(resource: EcluseResource) -> dg.SensorDefinition:
    """A sensor that hands lineage on every half minute, and starts no run."""

    @dg.sensor(
        name="lineage_outbox",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        target=None,
        description="Exports lineage events and forwards them from the outbox.",
    )
    def lineage_outbox(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(hand_on(resource.found()))

    return lineage_outbox
