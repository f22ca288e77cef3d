"""Collects a source: raw bytes are kept first, and everything is read from what was kept."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from ecluse.engine import Engine, EngineError
from ecluse.errors import DefinitionError, SourceError, StorageError
from ecluse.model.contract import Contract
from ecluse.model.step import DatabaseQuery, Files
from ecluse.sources.archive import extract
from ecluse.sources.csv_file import read_csv
from ecluse.sources.keep import confirm, keep_file
from ecluse.sources.ndjson_file import read_ndjson
from ecluse.sources.parquet_file import read_parquet
from ecluse.sources.released import ReleasedFiles, collect_released
from ecluse.sources.result import Collection, Counts, RawInput
from ecluse.sources.strict import canonical_types, refuse_unread
from ecluse.sources.typed import Reading, Typed

_ENDINGS = {".csv": "csv", ".csv.zip": "csv.zip", ".parquet": "parquet", ".ndjson": "ndjson", ".jsonl": "ndjson"}


def collect(engine: Engine, source: Files | DatabaseQuery | ReleasedFiles, contract: Contract, raw: Path) -> Collection:
    """Read ``source`` as ``contract`` says; its bytes are kept under ``raw/<sha256>``.

    Every record becomes a row or a reject, and the two are counted against the records of the original. Raises
    ``SourceError`` where a source can't be read, isn't what its contract says, or holds no row.
    """
    types = canonical_types(engine, contract)
    spool = Path(tempfile.mkdtemp(prefix="ecluse-"))
    try:
        if isinstance(source, ReleasedFiles):
            return collect_released(engine, source, contract, raw, spool, types)
        if isinstance(source, DatabaseQuery):
            return _from_database(engine, source, contract, raw, spool, types)
        return _from_files(engine, source, contract, raw, spool, types)
    except BaseException as error:
        shutil.rmtree(spool, ignore_errors=True)
        if isinstance(error, EngineError):
            # What the readers expect they map themselves; what is left is a temporary folder without room.
            raise StorageError("sources.no_room", path=spool.parent, error=str(error).splitlines()[0]) from error
        raise


def _from_database(
    engine: Engine, source: DatabaseQuery, contract: Contract, raw: Path, spool: Path, types: dict[str, str]
) -> Collection:
    from ecluse.sources.database import keep_query

    refuse_unread(types)
    kept = keep_query(source, contract, raw)
    reading = Reading(spool, kept.mark, kept.origin, types)
    typed = read_ndjson(engine, kept.kept, contract, reading, from_database=True)
    return _collection([(kept, typed)], spool, ())


def _from_files(
    engine: Engine, source: Files, contract: Contract, raw: Path, spool: Path, types: dict[str, str]
) -> Collection:
    if not source.paths:
        raise DefinitionError("sources.no_paths")
    formats = [source.format or _format(path) for path in source.paths]
    read: list[tuple[RawInput, Typed]] = []
    checks = []
    for number, (path, format) in enumerate(zip(source.paths, formats, strict=True)):
        kept = keep_file(path, raw, _origin(source, path))
        if any(kept.sha256 == before.sha256 for before, _ in read):
            raise SourceError("sources.twice", path=path)
        folder = spool / str(number)
        folder.mkdir()
        reading = Reading(folder, kept.mark, str(path), types)
        read.append((kept, _read(engine, kept.kept, format, source, contract, reading)))
        checks.append(partial(confirm, path, kept))
    return _collection(read, spool, tuple(checks))


def _read(engine: Engine, path: Path, format: str, source: Files, contract: Contract, reading: Reading) -> Typed:
    if format == "parquet":
        return read_parquet(engine, path, contract, reading)
    refuse_unread(dict(reading.types))
    if format == "ndjson":
        return read_ndjson(engine, path, contract, reading)
    if format == "csv.zip":
        path = extract(path, reading.spool / "member.csv", reading.shown, source.member)
    return read_csv(engine, path, source, contract, reading)


def _format(path: Path) -> str:
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return _ENDINGS[ending]
    raise DefinitionError("sources.format", path=path, known=", ".join(_ENDINGS))


def _origin(source: Files, path: Path) -> str:
    if source.origin is None:
        return path.name
    return source.origin if len(source.paths) == 1 else f"{source.origin}#{path.name}"


def _collection(read: list[tuple[RawInput, Typed]], spool: Path, checks: tuple[partial[None], ...]) -> Collection:
    for kept, typed in read:
        if not typed.rows:
            raise SourceError("sources.nothing_left", path=kept.origin, rejected=typed.rejected)
    rejects = [typed.rejects_sql for _, typed in read if typed.rejects_sql]
    return Collection(
        sql=" UNION ALL ".join(typed.sql for _, typed in read),
        rejects_sql=" UNION ALL ".join(rejects) or None,
        counts=tuple(Counts(k.origin, t.rows + t.rejected, t.rows, t.rejected) for k, t in read),
        inputs=tuple(kept for kept, _ in read),
        spool=spool,
        checks=checks,
    )
