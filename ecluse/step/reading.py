"""Rows of a published state, for those who make the dataset: never a personal value, and never without a record.

This is no second door. It works only where the key of a service that attests publications is at hand, whose holder
could read the files anyway; consumers load releases. What it shows is narrower than what the files hold: columns that
are personal or sensitive, or that the contract doesn't list, aren't read at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.charterfile import load_charter
from ecluse.door.columns import released_columns
from ecluse.engine import Engine, literal, quote
from ecluse.errors import DefinitionError, NotComputed, StorageError, WarehouseError
from ecluse.ledger import Log, sign
from ecluse.lineage import DatasetInfo, EventStore, RunInfo, run_uuid
from ecluse.model.contract import Classification
from ecluse.model.facts import Subject
from ecluse.model.release import DataFile, TableVersion, content_digest
from ecluse.step.border import computing
from ecluse.step.condition import confirm_condition
from ecluse.store import Database

if TYPE_CHECKING:
    from ecluse.step.asof import PublishedState
    from ecluse.step.services import Services

#: What the record of a read says it was for. It is a purpose of no charter: nothing is granted by it.
PURPOSE = "inspection"
_SHOWN = (Classification.PUBLIC, Classification.INTERNAL)
_FORMATS = {".parquet": "FORMAT parquet, COMPRESSION zstd, PRESERVE_ORDER true", ".csv": "FORMAT csv, HEADER true"}


@dataclass(frozen=True)
class Shown:
    """Rows that were read: columns in their order, how many rows, and what was left out of a state.

    ``rows`` is empty where they went to a file. ``hidden`` maps each column that isn't shown to its classification.
    """

    columns: tuple[str, ...]
    hidden: Mapping[str, str]
    count: int
    rows: tuple[tuple[Any, ...], ...] = ()


def read_rows(
    services: Services,
    state: PublishedState,
    *,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    limit: int | None = None,
    to: Path | None = None,
) -> Shown:
    """Read a state's rows, or write them to a Parquet or CSV file; the read is recorded before a row is handed over.

    ``where`` is a condition over the columns that are shown; it can't look anywhere else. ``DefinitionError`` for a
    column that isn't shown, ``NotComputed`` where the snapshot is forgotten, ``IntegrityError`` where a file isn't what
    was published.
    """
    warehouse, dataset = services.warehouse, state.dataset
    form = None if to is None else _form(to)
    files, there = _held(services, state)
    open_, hidden = _divided(services, state, there)
    chosen = tuple(columns) if columns else open_
    if unknown := [name for name in chosen if name not in open_]:
        raise DefinitionError("step.read_column", dataset=dataset, columns=", ".join(unknown), known=", ".join(open_))
    warehouse.confirm(dataset, files)
    inner = f"SELECT {_names(open_)} FROM {warehouse.scan(dataset, state.snapshot_id)}"
    # NOTE: the line break keeps a comment at the condition's end from swallowing the bracket.
    kept = f" WHERE ({where}\n)" if where is not None else ""
    sql = f"SELECT {_names(chosen)} FROM ({inner}) AS {quote(dataset)}{kept}"
    sql += "" if limit is None else f" LIMIT {int(limit)}"
    with services.engine() as engine:
        if where is not None:
            confirm_condition(engine, dataset, where)
        with computing("step.read_condition", dataset=dataset):
            engine.describe(sql)
        _record(services, state, files, chosen, to)
        with computing("step.read_condition", dataset=dataset):
            if to is not None and form is not None:
                return Shown(chosen, hidden, _written(engine, sql, to, form))
            rows = tuple(engine.rows(sql))
            return Shown(chosen, hidden, len(rows), rows)


def _held(services: Services, state: PublishedState) -> tuple[tuple[DataFile, ...], dict[str, str]]:
    """The files and columns of a state's snapshot, where the table still knows it."""
    try:
        files = services.warehouse.files(state.dataset, state.snapshot_id)
        return files, services.warehouse.columns(state.dataset, state.snapshot_id)
    except WarehouseError as error:
        if error.key != "warehouse.no_snapshot":
            raise
        since = state.since.isoformat(" ", "seconds")
        raise NotComputed("step.as_of_expired", dataset=state.dataset, since=since) from error


def _divided(
    services: Services, state: PublishedState, there: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns that are shown, and the others with the reason: as strictly classified as they ever were since."""
    uuid_ = services.warehouse.table_uuid(state.dataset)
    product = TableVersion(state.dataset, uuid_, state.snapshot_id, (), state.contract_digest, "")
    known = {c.name: c.classification for c in released_columns(product, [*services.log.facts("publication")])}
    named = [name for name in there if not name.startswith("_")]
    shown = tuple(name for name in named if known.get(name) in _SHOWN)
    if not shown:
        raise DefinitionError("step.read_nothing", dataset=state.dataset)
    return shown, {name: known[name].value if name in known else "?" for name in named if name not in shown}


def _record(
    services: Services, state: PublishedState, files: Sequence[DataFile], columns: Sequence[str], to: Path | None
) -> None:
    """Sign the read into the log of reads; ``LedgerError`` where the service may not attest reads: nothing is shown."""
    from ecluse.lineage.events import read_run

    project, signer, now = services.project, services.signer, services.project.now()
    if (doubt := services.trust.doubt(signer.key_id, "read", now)) is not None:
        raise doubt
    written = load_charter(project).party(signer.party)
    predicate = {
        "datasets": [state.dataset],
        "version": state.version,
        "purpose": PURPOSE,
        "phase": services.charter.phase,
        "reader": signer.party,
        "authenticated": written is not None and signer.public in [key.public for key in written.keys],
        "opens": True,
        "reasons": [],
        "columns": [f"{state.dataset}.{column}" for column in columns],
        "snapshot_id": str(state.snapshot_id),
        "copied": to is not None,
    }
    subject = Subject(f"{state.dataset}#{state.snapshot_id}", content_digest(tuple(files)))
    fact = services.fact("read", (subject,), predicate)
    run = RunInfo(
        run_id=run_uuid("read", state.dataset, state.snapshot_id, uuid.uuid4().hex),
        job=f"read.{state.dataset}",
        project=project.name,
        environment=project.environment,
    )
    info = DatasetInfo(name=state.dataset, version=str(state.snapshot_id), columns=dict.fromkeys(columns, ""))
    envelope = sign(fact, signer)
    database = Database(project.reads_url)
    try:
        with database.transaction() as connection:
            Log(database, services.trust).append(connection, [envelope])
            EventStore(database).append(connection, read_run(run, now, now, datasets=[info], purpose=PURPOSE))
    finally:
        database.close()


def _form(to: Path) -> str:
    """How DuckDB writes a file of that ending; ``DefinitionError`` for another ending, and for a file that is there."""
    if to.suffix.lower() not in _FORMATS:
        raise DefinitionError("step.read_format", path=to, known=", ".join(_FORMATS))
    if to.exists():
        raise DefinitionError("step.read_there", path=to)
    return _FORMATS[to.suffix.lower()]


def _written(engine: Engine, sql: str, to: Path, form: str) -> int:
    """Write a query's rows to a file, whole or not at all; how many there are."""
    beside = to.absolute().with_name(f".{to.name}.{uuid.uuid4().hex[:8]}")
    with _writing(to):
        try:
            # NOTE: the system says more plainly than DuckDB why no file can be there.
            beside.touch(exist_ok=False)
            rows = engine.scalar(f"COPY ({sql}) TO {literal(str(beside))} ({form})")
            beside.rename(to)
        finally:
            beside.unlink(missing_ok=True)
    return int(rows)


@contextmanager
def _writing(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError("step.read_write", path=to, error=error.strerror or error) from error


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote(name) for name in columns)
