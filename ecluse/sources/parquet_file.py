"""Reads a Parquet file: names and types are compared first, and a narrower type is filled only without loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecluse.engine import Engine, EngineError, literal, quote
from ecluse.errors import SourceError
from ecluse.model.contract import Contract
from ecluse.sources.names import compare
from ecluse.sources.strict import family
from ecluse.sources.typed import Reading, Typed, bad_rows, counted, types_reason, write_rejects, write_typed

_RUN = 100_000


def read_parquet(engine: Engine, path: Path, contract: Contract, reading: Reading) -> Typed:
    """Read a kept Parquet file; ``SourceError`` for a damaged one, and for other columns or types than promised."""
    try:
        records = _records(path, contract, reading)
        # NOTE: other writers leave NaN out of their statistics, and DuckDB 2.0 believes these unless it is told.
        scan = f"read_parquet({literal(str(path))}, can_have_nan = true)"
        found = engine.describe(f"SELECT * FROM {scan}")
        _compare_types(found, reading)
        write_typed(
            engine,
            f"(SELECT {', '.join(f'{quote(n)} AS c{i}' for i, n in enumerate(reading.types))} FROM {scan})",
            values={n: _value(f"c{i}", found[n], type) for i, (n, type) in enumerate(reading.types.items())},
            stated={n: f"c{i} IS NOT NULL" for i, (n, type) in enumerate(reading.types.items()) if found[n] != type},
            whole={},
            reading=reading,
        )
    except (EngineError, pa.ArrowException, OSError) as error:
        raise SourceError("sources.damaged", path=reading.shown, format="Parquet", error=_first_line(error)) from error
    rows, bad = counted(engine, reading, records)
    if bad:
        rejected = write_rejects(_rejects(engine, path, records, reading), reading)
        if rejected != bad:
            raise SourceError("sources.reconcile", path=reading.shown, records=records, rows=rows, rejected=rejected)
    return reading.typed(rows, bad)


def _records(path: Path, contract: Contract, reading: Reading) -> int:
    with pq.ParquetFile(path) as file:
        compare(file.schema_arrow.names, contract, reading.shown, ordered=False)
        records: int = file.metadata.num_rows
    if not records:
        raise SourceError("sources.empty", path=reading.shown)
    return records


def _compare_types(found: dict[str, str], reading: Reading) -> None:
    for name, type in reading.types.items():
        if found[name] != type and family(found[name]) != family(type):
            raise SourceError("sources.column_type", path=reading.shown, column=name, found=found[name], promised=type)


def _value(column: str, found: str, promised: str) -> str:
    if found == promised:
        return column
    cast = f"TRY_CAST({column} AS {promised})"
    return f"CASE WHEN TRY_CAST({cast} AS {found}) IS NOT DISTINCT FROM {column} THEN {cast} END"


def _rejects(engine: Engine, path: Path, records: int, reading: Reading) -> Iterator[tuple[int, str, str]]:
    for first in range(1, records + 1, _RUN):
        broken = dict(bad_rows(engine, reading, first, first + _RUN - 1))
        if not broken:
            continue
        wanted = ", ".join(str(n - 1) for n in broken)
        fields = ", ".join(f"{literal(n)}: {quote(n)}" for n in reading.types)
        rows = engine.rows(
            f"SELECT file_row_number + 1, to_json({{{fields}}}) FROM "
            f"read_parquet({literal(str(path))}, file_row_number = true) WHERE file_row_number IN ({wanted}) ORDER BY 1"
        )
        for number, raw in rows:
            yield number, raw, types_reason(number, broken[number], reading.types)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
