"""Opens released data for a purpose: the steps of ``load``, from who asks to what they may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import overload

from ecluse.access import Granted, compile_grant, load_pseudonym_key
from ecluse.door.columns import released_columns
from ecluse.door.definitions import Definitions
from ecluse.door.files import confirm_snapshot, verify_files
from ecluse.door.head import remember_head
from ecluse.door.identity import Reader, reader_of
from ecluse.door.loaded import Loaded
from ecluse.door.lock import Lock
from ecluse.door.query import Query
from ecluse.door.record import record_read
from ecluse.door.records import Records
from ecluse.door.unreleased import VERSION as UNRELEASED
from ecluse.door.unreleased import published
from ecluse.engine import Engine, EngineError
from ecluse.errors import DefinitionError, EcluseError, Refused
from ecluse.gate import asks_unreleased, charter_of_hatch, found_personal, valid_grants
from ecluse.model.charter import Charter, Grant
from ecluse.model.latest import LATEST
from ecluse.model.release import Manifest, TableVersion
from ecluse.model.verdict import Reason, Request, Verdict
from ecluse.warehouse import Warehouse


@overload
def load(
    names: str,
    *,
    purpose: str,
    version: str | None = None,
    phase: str | None = None,
    project: str | Path | None = None,
    environment: str | None = None,
    lock: str | Path | None = None,
) -> Loaded: ...


@overload
def load(
    names: list[str] | tuple[str, ...],
    *,
    purpose: str,
    version: str | None = None,
    phase: str | None = None,
    project: str | Path | None = None,
    environment: str | None = None,
    lock: str | Path | None = None,
) -> dict[str, Loaded]: ...


def load(
    names: str | list[str] | tuple[str, ...],
    *,
    purpose: str,
    version: str | None = None,
    phase: str | None = None,
    project: str | Path | None = None,
    environment: str | None = None,
    lock: str | Path | None = None,
) -> Loaded | dict[str, Loaded]:
    """Released data for a purpose, or ``Refused`` with every reason.

    ``names`` is one dataset, or several that one release holds; several give a dict by name. ``version`` is a
    release's version. ``None`` or ``"latest"`` is the newest release, save that the patch of an older version isn't the
    latest; where the latest is refused, no older one takes its place. ``phase`` is the charter's current phase unless
    given; ``"poc"`` asks for what is published now, released or not, with people masked, where a grant of the charter
    is ``unreleased``. ``environment`` is the one whose release is opened, the profile's own unless given: another's is
    only read, judged by its own facts, and recorded in this profile's log of reads. ``lock`` is where a ``data.lock``
    is written. The purpose is declared and recorded, not proven.

    Raises ``IntegrityError`` where log or files are not what was signed. Every answer, a refusal too, is recorded in
    the log of reads, before any data is handed over.
    """
    datasets = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not datasets:
        raise DefinitionError("door.no_names")
    definitions = Definitions.of(project, environment)
    hatch = asks_unreleased(phase, definitions.charter)
    allowed = allowed_charter(definitions.charter, version, phase)
    reader = reader_of(replace(definitions, charter=allowed), datasets, purpose)
    records = Records.open(definitions, reader=reader)
    try:
        now = records.project.now()
        warehouse = Warehouse(records.project.warehouse, records.log.database)
        manifest = asked_manifest(records, warehouse, datasets, version, phase)
        requests = [request_for(records, reader, manifest, d, purpose, version, phase) for d in datasets]
        found = records.judge(requests, manifest, now)
        _refuse(records, reader, requests, manifest, found, now)
        assert manifest is not None
        products = [manifest.product(dataset) for dataset in datasets]
        verify_files(warehouse.objects, products)
        grants = {d: valid_grants(allowed, reader.party, d, purpose, now.date()) for d in datasets}
        personal = {d: _found_personal(records, manifest, d) if hatch else frozenset() for d in datasets}
        granted = {
            p.dataset: _granted(records, warehouse, p, grants[p.dataset], purpose, personal[p.dataset])
            for p in products
        }
        bare = [
            Reason("grant_without_columns", {"dataset": d, "reader": reader.party or "?"})
            for d, g in granted.items()
            if not g
        ]
        _refuse(records, reader, requests, manifest, Verdict(tuple(bare), found.warnings, found.approvals), now)
        let_through = {d: g for d, g in granted.items() if g is not None}
        loaded = _opened(records, warehouse, reader, manifest, found, purpose, let_through)
        shown = {dataset: one.columns for dataset, one in loaded.items()}
        record_read(records, reader, requests, manifest, found, shown, now)
        remember_head(definitions, records.state, reader, now)
        if lock is not None:
            gate = records.charter.gate_digest(requests[0].phase)
            Lock(manifest, tuple(requests), gate, shown, records.state, now).write(Path(lock))
    finally:
        records.close()
    return loaded[names] if isinstance(names, str) else loaded


def allowed_charter(charter: Charter, version: str | None, phase: str | None) -> Charter:
    """The charter with the grants that count for what is asked: for unreleased data, those only that reach it."""
    if not asks_unreleased(phase, charter):
        return charter
    if version not in (None, LATEST):
        raise DefinitionError("door.unreleased_version", version=version)
    return charter_of_hatch(charter)


def asked_manifest(
    records: Records, warehouse: Warehouse, datasets: Sequence[str], version: str | None, phase: str | None
) -> Manifest | None:
    """The release that is asked for, or what is published now where unreleased data is."""
    if asks_unreleased(phase, records.charter):
        return published(records, warehouse, datasets)
    return records.find(datasets, version)


def request_for(
    records: Records,
    reader: Reader,
    manifest: Manifest | None,
    dataset: str,
    purpose: str,
    version: str | None,
    phase: str | None,
) -> Request:
    """What is asked of one dataset, in the words of the gate."""
    asked = None if version == LATEST else version
    return Request(
        dataset=dataset,
        version=manifest.version if manifest else asked,
        release=manifest.digest if manifest else None,
        purpose=purpose,
        reader=reader.party,
        phase=phase or records.charter.phase,
        project=records.project.name,
        environment=records.project.environment,
        authenticated=reader.authenticated,
    )


def _refuse(
    records: Records,
    reader: Reader,
    requests: Sequence[Request],
    manifest: Manifest | None,
    found: Verdict,
    now: datetime,
) -> None:
    """Record and raise a refusal; an open verdict passes."""
    if found.opens:
        return
    asked = requests[0]
    refusal = Refused(
        "door.refused",
        verdict=found,
        datasets=", ".join(r.dataset for r in requests),
        dataset=asked.dataset,
        version=f" {asked.version}" if asked.version else "",
        purpose=asked.purpose,
    )
    try:
        record_read(records, reader, requests, manifest, found, {}, now)
        remember_head(records.definitions, records.state, reader, now)
    except EcluseError as error:
        # NOTE: that it could not be recorded is worth knowing, and no reason to hide why the door is closed.
        refusal.add_note(str(error))
    raise refusal


def _found_personal(records: Records, manifest: Manifest, dataset: str) -> frozenset[str]:
    return found_personal(dataset, manifest, records.charter, records.facts, records.trust.parties())


def _granted(
    records: Records,
    warehouse: Warehouse,
    product: TableVersion,
    grants: Sequence[Grant],
    purpose: str,
    personal: Collection[str],
) -> Granted | None:
    confirm_snapshot(warehouse, product)
    there = warehouse.columns(product.dataset, product.snapshot_id)
    return compile_grant(
        grants,
        [c for c in released_columns(product, records.facts, personal) if c.name in there],
        purpose=purpose,
        key=lambda: load_pseudonym_key(records.project),
    )


def _opened(
    records: Records,
    warehouse: Warehouse,
    reader: Reader,
    manifest: Manifest,
    found: Verdict,
    purpose: str,
    granted: dict[str, Granted],
) -> dict[str, Loaded]:
    temporary = records.project.state / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    loaded = {}
    for dataset, grant in granted.items():
        sql = grant.select_sql(warehouse.scan(dataset, manifest.product(dataset).snapshot_id))
        if grant.filters:
            _confirm_filters(sql, grant, dataset)
        shown = dict(grant.columns)
        query = Query(sql, grant.keys, temporary, warehouse.objects)
        released = manifest.version != UNRELEASED
        loaded[dataset] = Loaded(dataset, manifest, found, reader, purpose, shown, released, query)
    return loaded


def _confirm_filters(sql: str, grant: Granted, dataset: str) -> None:
    """``DefinitionError`` where a grant's row filter is no condition over the columns of the dataset."""
    try:
        with Engine(threads=1) as engine:
            engine.describe(sql, grant.keys.reveal())
    except EngineError as error:
        # NOTE: only the first line of the message, and no chain: the statement names files.
        first, filters = str(error).splitlines()[0], "; ".join(grant.filters)
        raise DefinitionError("access.row_filter", dataset=dataset, error=first, filters=filters) from None
