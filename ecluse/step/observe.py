"""Observations of a KPI: a number that a model or a report found, bound to the data that it was found on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ecluse.errors import DefinitionError
from ecluse.ledger import sign
from ecluse.model.facts import Subject
from ecluse.project import Project
from ecluse.step.releases import find_release
from ecluse.step.services import open_services


def observe(
    kpi: str,
    value: float,
    *,
    dataset: str,
    version: str | None = None,
    lock: str | Path | None = None,
    model_sha256: str | None = None,
    project: str | Path | None = None,
) -> None:
    """Record a KPI's value as signed evidence about the release it was measured on.

    ``kpi`` is one of the charter's KPIs. ``lock`` is the ``data.lock`` that the loading wrote; ``model_sha256`` the
    digest of the model. ``DefinitionError`` for an unknown KPI or a dataset without that release.
    """
    services = open_services(Project.find(project))
    try:
        known = [k.id for k in services.charter.kpis]
        if kpi not in known:
            raise DefinitionError("step.kpi", kpi=kpi, known=", ".join(known))
        manifest = find_release(services, dataset, version)
        if manifest is None:
            raise DefinitionError("step.no_release", dataset=dataset, version=version or "latest")
        predicate = {
            "about": "kpi",
            "kpi": kpi,
            "value": float(value),
            "dataset": dataset,
            "version": manifest.version,
            "lock_sha256": hashlib.sha256(Path(lock).read_bytes()).hexdigest() if lock else None,
            "model_sha256": model_sha256,
        }
        fact = services.fact("evidence", (Subject(f"{dataset}@{manifest.version}", manifest.digest),), predicate)
        with services.database.transaction() as connection:
            services.log.append(connection, [sign(fact, services.signer)])
    finally:
        services.close()
