"""A KPI computed over gated data: the charter's statement, on a release's files, with what it read beside its value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ecluse.door.files import confirm_snapshot, verify_files
from ecluse.engine import Engine, EngineError, literal, quote
from ecluse.errors import DefinitionError, NotComputed
from ecluse.ledger import sign
from ecluse.model.charter import Kpi
from ecluse.model.facts import Subject
from ecluse.model.release import Manifest, TableVersion, content_digest
from ecluse.step.latest import latest_publications
from ecluse.step.releases import find_release
from ecluse.step.services import Services


@dataclass(frozen=True)
class Observation:
    """A KPI's value on a release, its position in the log, and every table that was read."""

    kpi: Kpi
    value: float
    manifest: Manifest
    position: int
    read: tuple[Source, ...]


@dataclass(frozen=True)
class Source:
    """A table as a KPI's statement reads it: ``released``, or else as it is published."""

    name: str
    table: TableVersion
    released: bool


def observe_kpi(services: Services, id: str, version: str | None = None) -> Observation:
    """Compute a KPI of the charter on a release (the latest, or ``version``), and record it as signed evidence.

    The statement sees the tables that it names and no other file; each file of the release is hashed before.
    ``DefinitionError`` for a KPI that has no statement, or one that can't be carried out; ``NotComputed`` where it
    gives no single finite number: then nothing is recorded.
    """
    kpi = kpi_of(services, id)
    if not kpi.sql:
        raise DefinitionError("step.kpi_by_code", kpi=id)
    manifest = _release(services, kpi, version)
    read = tuple(_source(services, manifest, name, dataset) for name, dataset in kpi.over.items())
    verify_files(services.warehouse.objects, [source.table for source in read])
    value = _value(services, kpi, read)
    position = record(services, kpi, value, manifest, {"read": [_said(source) for source in read]})
    return Observation(kpi, value, manifest, position, read)


def kpi_of(services: Services, id: str) -> Kpi:
    """The charter's KPI of that id; ``DefinitionError`` where there is none."""
    found = services.charter.kpi(id)
    if found is None:
        raise DefinitionError("step.kpi", kpi=id, known=", ".join(k.id for k in services.charter.kpis) or "–")
    return found


def record(services: Services, kpi: Kpi, value: float, manifest: Manifest, more: Mapping[str, object]) -> int:
    """Sign an observation of a KPI on a release; its position in the log."""
    dataset = manifest.products[0].dataset
    predicate: dict[str, object] = {
        "about": "kpi",
        "kpi": kpi.id,
        "value": value,
        "definition": kpi.definition,
        "dataset": dataset,
        "version": manifest.version,
        "lock_sha256": None,
        "model_sha256": None,
        "read": [],
        **more,
    }
    subjects = tuple(Subject(f"{p.dataset}@{manifest.version}", manifest.digest) for p in manifest.products)
    envelope = sign(services.fact("evidence", subjects, predicate), services.signer)
    with services.database.transaction() as connection:
        (position,) = services.log.append(connection, [envelope])
    return position


def _release(services: Services, kpi: Kpi, version: str | None) -> Manifest:
    """The release of that version, or the latest, of the first table of the statement that was ever released."""
    for dataset in kpi.over.values():
        if (found := find_release(services, dataset, version)) is not None:
            return found
    datasets = ", ".join(sorted({*kpi.over.values()}))
    raise DefinitionError("step.kpi_release", kpi=kpi.id, version=version or "–", datasets=datasets)


def _source(services: Services, manifest: Manifest, name: str, dataset: str) -> Source:
    released = next((p for p in manifest.products if p.dataset == dataset), None)
    if released is not None:
        confirm_snapshot(services.warehouse, released)
        return Source(name, released, released=True)
    snapshot = services.warehouse.head(dataset) if services.warehouse.exists(dataset) else None
    if snapshot is None:
        raise NotComputed("step.input_unpublished", dataset=dataset)
    newest = latest_publications(services, dataset)[-1]
    files = services.warehouse.files(dataset, snapshot)
    digests = newest["contract_digest"], newest["suite_digest"]
    uuid = services.warehouse.table_uuid(dataset)
    return Source(name, TableVersion(dataset, uuid, snapshot, files, *digests), released=False)


def _value(services: Services, kpi: Kpi, read: Sequence[Source]) -> float:
    try:
        with _closed_engine(services, read) as engine:
            rows = engine.rows(kpi.sql)
    except EngineError as error:
        raise DefinitionError("step.kpi_sql", kpi=kpi.id, error=str(error).splitlines()[0]) from error
    found = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None
    try:
        value = math.nan if found is None or isinstance(found, (bool, str)) else float(found)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        shown = f"{len(rows)} × {len(rows[0]) if rows else 0}" if found is None else type(found).__name__
        raise NotComputed("step.kpi_value", kpi=kpi.id, found=shown)
    return value


@contextmanager
def _closed_engine(services: Services, read: Sequence[Source]) -> Iterator[Engine]:
    """An engine that holds these tables as views, and can open no other file."""
    with services.engine() as engine:
        paths: list[str] = []
        for source in read:
            table = source.table
            paths += [str(path) for path in services.warehouse.fetch(table.dataset, table.files).values()]
            scan = services.warehouse.scan(table.dataset, table.snapshot_id)
            engine.run(f"CREATE VIEW {quote(source.name)} AS SELECT * FROM {scan}")
        engine.run(f"SET allowed_paths = [{', '.join(literal(path) for path in paths)}]")
        engine.run("SET enable_external_access = false")
        engine.run("SET lock_configuration = true")
        yield engine


def _said(source: Source) -> dict[str, object]:
    return {
        "name": source.name,
        "dataset": source.table.dataset,
        "snapshot_id": str(source.table.snapshot_id),
        "content": content_digest(source.table.files),
        "released": source.released,
    }
