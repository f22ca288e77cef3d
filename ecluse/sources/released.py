"""Collects what another environment released: its data files are kept byte for byte, and read from what was kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecluse.engine import Engine, literal, quote
from ecluse.errors import IntegrityError, SourceError
from ecluse.model.contract import Contract
from ecluse.model.names import ORIGIN
from ecluse.sources.keep import keep_file
from ecluse.sources.result import Collection, Counts, RawInput

#: The column by which ``ReleasedFiles.read`` numbers the rows of a file.
NUMBER = "_ecluse_number"


@dataclass(frozen=True)
class ReleasedFile:
    """A data file as a release's manifest names it: its origin, where its bytes are, their SHA-256, and its rows."""

    origin: str
    path: Path
    sha256: str
    rows: int


@dataclass(frozen=True)
class ReleasedFiles:
    """The data files of a release, in order. None at all is a source too: the release holds no row there.

    ``read`` turns kept copies, by origin, into a parenthesised ``SELECT`` for each, whose column ``NUMBER`` counts the
    rows of the file from 0: the files alone don't say under which names and types their release has them.
    """

    files: tuple[ReleasedFile, ...]
    read: Callable[[Mapping[str, Path]], Mapping[str, str]]


def collect_released(
    engine: Engine, released: ReleasedFiles, contract: Contract, raw: Path, spool: Path, types: Mapping[str, str]
) -> Collection:
    """Keep the files under ``raw/<sha256>`` and read their rows from there, each with its file and number as origin.

    ``IntegrityError`` where the bytes are not what the manifest says, ``SourceError`` where it counts other rows.
    """
    kept = [_kept(file, raw) for file in released.files]
    scans = released.read({one.origin: one.kept for one in kept})
    columns = ", ".join(quote(column.name) for column in contract.columns)
    parts, counts = [], []
    for file, one in zip(released.files, kept, strict=True):
        rows = int(engine.scalar(f"SELECT count(*) FROM {scans[one.origin]}"))
        if rows != file.rows:
            raise SourceError("sources.reconcile", path=one.origin, records=file.rows, rows=rows, rejected=0)
        counts.append(Counts(one.origin, file.rows, rows, 0))
        origin = f"{literal(one.sha256[:12] + ':')} || ({NUMBER} + 1)"
        parts.append(f"SELECT {columns}, {origin} AS {quote(ORIGIN)} FROM {scans[one.origin]}")
    return Collection(
        sql=" UNION ALL ".join(parts) or _nothing(types),
        rejects_sql=None,
        counts=tuple(counts),
        inputs=tuple(kept),
        spool=spool,
    )


def _kept(file: ReleasedFile, raw: Path) -> RawInput:
    one = keep_file(file.path, raw, file.origin)
    if one.sha256 != file.sha256:
        raise IntegrityError(
            "sources.released_altered", path=file.origin, wanted=file.sha256[:16], found=one.sha256[:16]
        )
    return one


def _nothing(types: Mapping[str, str]) -> str:
    wanted = {**types, ORIGIN: "VARCHAR"}
    return f"SELECT {', '.join(f'CAST(NULL AS {t}) AS {quote(n)}' for n, t in wanted.items())} WHERE false"
