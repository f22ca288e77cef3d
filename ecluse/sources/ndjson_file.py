"""Reads newline-delimited JSON: one object per line, each value of its column's type."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecluse.engine import Engine, literal, quote
from ecluse.errors import SourceError
from ecluse.model.contract import Contract
from ecluse.sources.keep import writing
from ecluse.sources.names import compare
from ecluse.sources.strict import is_number, strict_cast
from ecluse.sources.typed import (
    Reading,
    Typed,
    bad_rows,
    counted,
    reason,
    types_reason,
    whole_fault,
    write_rejects,
    write_typed,
)

_BATCH = 20_000
_LINES = pa.schema([("line", pa.string()), ("fault", pa.string())])
# NOTE: the cases are nested because only a CASE keeps DuckDB from parsing a line that is no JSON.
_OBJECT = (
    "CASE WHEN fault IS NULL THEN CASE WHEN json_valid(line) THEN CASE WHEN json_type(line) = 'OBJECT' "
    "THEN line END END END"
)
_NUMBERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"


def read_ndjson(
    engine: Engine, path: Path, contract: Contract, reading: Reading, *, from_database: bool = False
) -> Typed:
    """Read a kept NDJSON file; ``SourceError`` where none of its lines has one of the contract's columns.

    A key that a line lacks is NULL. ``from_database``: numbers and booleans may come as the text that states them,
    since JSON has no exact decimal and not every database has a boolean.
    """
    # NOTE: DuckDB keeps the order of a Parquet file's rows, and not that of a stream of Arrow batches.
    lines, scan = _write_lines(path, reading.spool / "lines.parquet")
    if not lines:
        raise SourceError("sources.empty", path=reading.shown)
    _write(engine, scan, reading, from_database=from_database)
    rows, bad = counted(engine, reading, lines)
    _compare_keys(engine, scan, contract, reading, rows)
    if bad:
        rejected = write_rejects(_rejects(engine, path, reading), reading)
        if rejected != bad:
            raise SourceError("sources.reconcile", path=reading.shown, records=lines, rows=rows, rejected=rejected)
    return reading.typed(rows, bad)


def _lines(path: Path) -> Iterator[bytes]:
    """The lines without their ends; empty lines at the end of the file are none."""
    held = 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            stripped = (line.removeprefix(b"\xef\xbb\xbf") if not number else line).rstrip(b"\r\n")
            if not stripped.strip():
                held += 1
                continue
            yield from [b""] * held
            held = 0
            yield stripped


def _runs(path: Path) -> Iterator[list[bytes]]:
    lines = _lines(path)
    while run := list(islice(lines, _BATCH)):
        yield run


def _write_lines(path: Path, target: Path) -> tuple[int, str]:
    """How many lines there are, and something to select them from, in order."""
    count = 0
    with writing(target.parent), pq.ParquetWriter(target, _LINES) as writer:
        for lines in _runs(path):
            texts, faults = zip(*map(_text, lines), strict=True)
            writer.write_table(pa.table([texts, faults], schema=_LINES))
            count += len(lines)
    return count, f"read_parquet({literal(str(target))})"


def _text(line: bytes) -> tuple[str, str | None]:
    try:
        return line.decode(), None if line else "empty"
    except UnicodeDecodeError:
        return "", "encoding"


def _write(engine: Engine, scan: str, reading: Reading, *, from_database: bool) -> None:
    names = list(reading.types)
    pointers = literal(["/" + n.replace("~", "~0").replace("/", "~1") for n in names])
    known = literal(names)
    source = (
        f"(SELECT *, json_extract_string(object, {pointers}) AS texts, json_type(object, {pointers}) AS kinds, "
        f"json_keys(object) AS keys FROM (SELECT line, fault, {_OBJECT} AS object FROM {scan}))"
    )
    write_typed(
        engine,
        source,
        values={
            n: _value(f"texts[{i}]", f"kinds[{i}]", reading.types[n], from_database=from_database)
            for i, n in enumerate(names, 1)
        },
        stated={n: f"kinds[{i}] IS NOT NULL AND kinds[{i}] <> 'NULL'" for i, n in enumerate(names, 1)},
        whole={
            "empty": "fault = 'empty'",
            "encoding": "fault = 'encoding'",
            "json": "object IS NULL",
            "keys": "len(keys) <> len(list_distinct(keys))",
            "unknown": f"NOT list_has_all({known}, keys)",
        },
        reading=reading,
    )


def _value(text: str, kind: str, type: str, *, from_database: bool) -> str:
    cast = strict_cast(text, type)
    if type == "JSON":
        # NOTE: the text of a string lacks its quotes, which make it JSON.
        return f"CASE WHEN {kind} = 'VARCHAR' THEN to_json({text}) WHEN {kind} <> 'NULL' THEN {text}::JSON END"
    if is_number(type):
        # NOTE: a fraction is a double on its way through JSON, and only its first 15 digits are sure.
        exact = (
            f"({kind} <> 'DOUBLE' OR length(regexp_replace({text}, '[^0-9]', '', 'g')) <= 15)"
            if type.startswith("DEC")
            else "true"
        )
        finite = f"NOT isinf({cast})" if type in ("FLOAT", "DOUBLE") else "true"
        number = f"WHEN {kind} IN {_NUMBERS} THEN CASE WHEN {exact} AND {finite} THEN {cast} END"
        text = f"WHEN {kind} = 'VARCHAR' THEN {cast}" if from_database else ""
        return f"CASE {number} {text} END"
    if type == "BOOLEAN":
        digit = f"WHEN {kind} IN {_NUMBERS} AND {text} IN ('0', '1') THEN {cast}" if from_database else ""
        return f"CASE WHEN {kind} = 'BOOLEAN' THEN {cast} {digit} END"
    return f"CASE WHEN {kind} = 'VARCHAR' THEN {cast} END"


def _compare_keys(engine: Engine, scan: str, contract: Contract, reading: Reading, rows: int) -> None:
    """Name columns that no line has, and unknown ones where no line is left without them."""
    counts = ", ".join(f"count({quote(n)})" for n in reading.types)
    if rows and all(engine.row(f"SELECT {counts} FROM read_parquet({literal(str(reading.file))})")):
        return
    keys = f"SELECT DISTINCT unnest(json_keys(object)) AS key FROM (SELECT {_OBJECT} AS object FROM {scan})"
    present = {key for (key,) in engine.rows(keys)}
    found = [n for n in reading.types if n in present]
    compare([*found, *(sorted(present - set(found)) if not rows else ())], contract, reading.shown, ordered=False)


def _rejects(engine: Engine, path: Path, reading: Reading) -> Iterator[tuple[int, str, str]]:
    first = 1
    for lines in _runs(path):
        for number, broken in bad_rows(engine, reading, first, first + len(lines) - 1):
            fault = whole_fault(broken)
            said = reason(number, fault) if fault else types_reason(number, broken, reading.types)
            yield number, lines[number - first].decode("utf-8", "backslashreplace"), said
        first += len(lines)
