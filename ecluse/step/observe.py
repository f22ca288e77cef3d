"""Observations of a KPI by code of the project: a number that it found on data which it loaded through the door."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from ecluse.door.lock import Lock
from ecluse.errors import DefinitionError, NotComputed
from ecluse.project import Project
from ecluse.step.kpi import kpi_of, record
from ecluse.step.services import open_services


def observe(
    kpi: str,
    value: float,
    *,
    lock: str | Path,
    model_sha256: str | None = None,
    project: str | Path | None = None,
) -> None:
    """Record a KPI's value as signed evidence about the release that it was measured on.

    ``kpi`` is a KPI of the charter without ``sql``: one with a statement is computed by ``ecluse kpi observe``.
    ``lock`` is the ``data.lock`` that the loading wrote, which names the release; ``model_sha256`` is the digest of the
    model. ``DefinitionError`` for an unknown or computed KPI, and for a lock of no release here; ``NotComputed`` for a
    value that is no finite number; ``IntegrityError`` for a lock that was altered.
    """
    services = open_services(Project.find(project))
    try:
        found = kpi_of(services, kpi)
        if found.sql:
            raise DefinitionError("step.kpi_computed", kpi=kpi)
        if not math.isfinite(float(value)):
            raise NotComputed("step.kpi_value", kpi=kpi, found=value)
        manifest = Lock.read(Path(lock)).manifest
        if not any(services.log.facts(kind="release", sha256=manifest.digest)):
            raise DefinitionError("step.kpi_lock", path=lock, project=services.project.name)
        bound = {"lock_sha256": hashlib.sha256(Path(lock).read_bytes()).hexdigest(), "model_sha256": model_sha256}
        record(services, found, float(value), manifest, bound)
    finally:
        services.close()
