"""Writes the rows of one input as typed Parquet, with the damaged ones marked, and its rejects beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecluse import texts
from ecluse.engine import Engine, literal, quote
from ecluse.errors import SourceError
from ecluse.model.names import ORIGIN, RAW, REASON

#: What is wrong with a row: the columns that don't state a value of their type, or one word; NULL for a good row.
BAD = "_bad"
_WHOLE = "_"
_REJECTS = pa.schema([(ORIGIN, pa.string()), (RAW, pa.string()), (REASON, pa.string())])
_BATCH = 10_000


@dataclass(frozen=True)
class Typed:
    """One input read: SQL for its good rows and for its rejects, in order, and how many of each."""

    sql: str
    rejects_sql: str | None
    rows: int
    rejected: int


@dataclass(frozen=True)
class Reading:
    """One input being read: its folder for temporary files, its origin, how messages call it, its columns' types."""

    spool: Path
    origin: str
    shown: str
    types: Mapping[str, str]

    @property
    def file(self) -> Path:
        """All rows, typed, in the order of their records."""
        return self.spool / "typed.parquet"

    @property
    def rejects(self) -> Path:
        """The rejected records."""
        return self.spool / "rejects.parquet"

    def typed(self, rows: int, rejected: int) -> Typed:
        """What was read."""
        names = ", ".join(quote(name) for name in self.types)
        return Typed(
            f"SELECT {names}, {literal(self.origin + ':')} || (file_row_number + 1) AS {ORIGIN} "
            f"FROM read_parquet({literal(str(self.file))}, file_row_number = true) WHERE {BAD} IS NULL",
            f"SELECT {ORIGIN}, {RAW}, {REASON} FROM read_parquet({literal(str(self.rejects))})" if rejected else None,
            rows,
            rejected,
        )


def write_typed(
    engine: Engine,
    source: str,
    *,
    values: Mapping[str, str],
    stated: Mapping[str, str],
    whole: Mapping[str, str],
    reading: Reading,
) -> None:
    """Write ``source`` (something to select from), a row for each record.

    ``values`` gives the SQL of each column. ``stated`` gives the SQL that tells whether the source states a value at
    all: where it does and the value is NULL, it isn't one of the column's type. ``whole`` tells what is wrong with a
    row as a whole.
    """
    # NOTE: a column may bear the name of one of the source's own, so values travel under names of their own.
    inner = {name: f"v{i}_" for i, name in enumerate(values)}
    cells = ", ".join(f"CASE WHEN {sql} AND {inner[n]} IS NULL THEN {literal(n)} END" for n, sql in stated.items())
    broken = f"nullif(list_filter([{cells}]::VARCHAR[], lambda c: c IS NOT NULL), [])"
    rows = "".join(f"WHEN {sql} THEN [{literal(_WHOLE + name)}] " for name, sql in whole.items())
    bad = f"CASE {rows}ELSE {broken} END" if rows else broken
    columns = ", ".join(f"{sql} AS {inner[name]}" for name, sql in values.items())
    names = ", ".join(f"{inner[name]} AS {quote(name)}" for name in values)
    # NOTE: without PRESERVE_ORDER, DuckDB 2.0 mixes up the row groups of what it copies, whatever its settings say.
    engine.run(
        f"COPY (SELECT {names}, {bad} AS {BAD} FROM (SELECT {columns}, * FROM {source})) "
        f"TO {literal(str(reading.file))} (FORMAT parquet, COMPRESSION snappy, PRESERVE_ORDER true)"
    )


def counted(engine: Engine, reading: Reading, records: int) -> tuple[int, int]:
    """Rows and bad rows that were read; ``SourceError`` unless together they are the records that were counted."""
    rows, bad = engine.row(
        f"SELECT count(*) FILTER ({BAD} IS NULL), count(*) FILTER ({BAD} IS NOT NULL) "
        f"FROM read_parquet({literal(str(reading.file))})"
    )
    if rows + bad != records:
        raise SourceError("sources.reconcile", path=reading.shown, records=records, rows=rows, rejected=bad)
    return rows, bad


def bad_rows(engine: Engine, reading: Reading, first: int, last: int) -> list[tuple[int, list[str]]]:
    """Number and trouble of each bad row from number ``first`` to ``last``."""
    found: list[tuple[int, list[str]]] = engine.rows(
        f"SELECT file_row_number + 1, {BAD} FROM read_parquet({literal(str(reading.file))}, file_row_number = true) "
        f"WHERE {BAD} IS NOT NULL AND file_row_number BETWEEN {first - 1} AND {last - 1} ORDER BY 1"
    )
    return found


def write_rejects(rejects: Iterable[tuple[int, str, str]], reading: Reading) -> int:
    """Write (record number, raw text, reason) for each reject; how many there were."""
    count = 0
    with pq.ParquetWriter(reading.rejects, _REJECTS) as writer:
        batch: list[tuple[int, str, str]] = []
        for reject in rejects:
            batch.append(reject)
            if len(batch) == _BATCH:
                count += _write(writer, batch, reading.origin)
                batch = []
        return count + _write(writer, batch, reading.origin)


def _write(writer: pq.ParquetWriter, batch: list[tuple[int, str, str]], origin: str) -> int:
    columns = [[f"{origin}:{n}" for n, _, _ in batch], [raw for _, raw, _ in batch], [why for _, _, why in batch]]
    writer.write_table(pa.table(columns, schema=_REJECTS))
    return len(batch)


def whole_fault(broken: Sequence[str]) -> str | None:
    """What is wrong with a row as a whole, or ``None`` where single columns are."""
    # NOTE: no contract's column starts with an underscore, so the two can't be mistaken for each other.
    return broken[0].removeprefix(_WHOLE) if broken[0].startswith(_WHOLE) else None


def reason(line: int, fault: str, **fields: object) -> str:
    """Why a record was rejected, without any of its values; it is kept with the data, in English."""
    said = texts.say(f"sources.reject.{fault}", lang="en", **fields)
    return texts.say("sources.reject.line", lang="en", line=line, fault=said)


def types_reason(line: int, columns: Sequence[str], types: Mapping[str, str]) -> str:
    """The reason for values that aren't of their column's type."""
    said = [texts.say("sources.reject.type", lang="en", column=c, type=types[c]) for c in columns]
    return texts.say("sources.reject.line", lang="en", line=line, fault="; ".join(said))
