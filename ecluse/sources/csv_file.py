"""Reads a CSV file as its contract says: nothing is sniffed, guessed or repaired.

Two readers must agree. Ours (``records``) cuts the file and names damaged records; DuckDB reads the values. Damaged
records reach DuckDB as marked placeholders, so that a row's number is its record's number in the file.
"""

from __future__ import annotations

import codecs
import csv
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ecluse.engine import Engine, literal
from ecluse.errors import DefinitionError, SourceError
from ecluse.model.contract import Contract
from ecluse.model.step import Files
from ecluse.sources.keep import writing
from ecluse.sources.names import compare
from ecluse.sources.records import Records, records
from ecluse.sources.strict import strict_cast
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

_CHUNK = 4 * 2**20
_DELIMITERS = ",;\t|"


def read_csv(engine: Engine, path: Path, source: Files, contract: Contract, reading: Reading) -> Typed:
    """Read a kept CSV file; ``SourceError`` where it isn't what its contract says."""
    shown, types, names = reading.shown, reading.types, list(reading.types)
    delimiter, encoding = _delimiter(source), _encoding(source)
    if encoding not in ("utf-8", "utf-8-sig"):
        path = _decoded(path, reading.spool / "decoded.csv", encoding, shown)
    _compare_header(path, delimiter, contract, shown)
    count, as_it_is = _survey(path, delimiter, len(names), shown)
    if not count:
        raise SourceError("sources.empty", path=shown)

    marker, readable = uuid.uuid4().hex, path
    if not as_it_is:
        readable = reading.spool / "readable.csv"
        _write_readable(records(path, delimiter, shown, width=len(names)), readable, delimiter, len(names), marker)

    cells = {name: f"c{i}" for i, name in enumerate(names)}
    nulls = source.null or (f"{marker}-none",)
    scan = _scan(readable, delimiter, list(cells.values()), nulls)
    # A null text in quotes is a text where the column holds text; no number or time is written like that.
    texts = {
        n: c if types[n] == "VARCHAR" else f"CASE WHEN {c} NOT IN {_tuple(nulls)} THEN {c} END"
        for n, c in cells.items()
    }
    repeats_header = [f"{c} IN {_tuple(names)}" for c in cells.values()]
    repeats_header.append(f"len(list_distinct([{', '.join(cells.values())}])) = {len(names)}")
    write_typed(
        engine,
        f"(SELECT {', '.join(f'{sql} AS {cells[n]}' for n, sql in texts.items())} FROM {scan})",
        values={n: strict_cast(c, types[n]) for n, c in cells.items()},
        stated={n: f"{c} IS NOT NULL" for n, c in cells.items()},
        whole={"record": f"c0 = {literal(marker)}", "header": " AND ".join(repeats_header)},
        reading=reading,
    )
    rows, bad = counted(engine, reading, count)
    if bad:
        found = _rejects(engine, records(path, delimiter, shown, width=len(names)), reading)
        rejected = write_rejects(found, reading)
        if rejected != bad:
            raise SourceError("sources.reconcile", path=shown, records=count, rows=rows, rejected=rejected)
    return reading.typed(rows, bad)


def _delimiter(source: Files) -> str:
    if len(source.delimiter) != 1 or not source.delimiter.isascii() or source.delimiter in '"\r\n\0':
        raise DefinitionError("sources.delimiter", delimiter=source.delimiter)
    return source.delimiter


def _encoding(source: Files) -> str:
    try:
        return codecs.lookup(source.encoding).name
    except LookupError as error:
        raise DefinitionError("sources.encoding", encoding=source.encoding) from error


def _decoded(path: Path, target: Path, encoding: str, shown: str) -> Path:
    """The same text in UTF-8; a byte that isn't of the encoding refuses the file."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    with path.open("rb") as file, writing(target.parent), target.open("wb") as copy:
        try:
            while chunk := file.read(_CHUNK):
                copy.write(decoder.decode(chunk).encode())
                done += len(chunk)
            copy.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            at = done + (error.start if isinstance(error, UnicodeDecodeError) else 0)
            raise SourceError("sources.not_decoded", path=shown, encoding=encoding, position=at) from error
    return target


def _compare_header(path: Path, delimiter: str, contract: Contract, shown: str) -> None:
    first = next(records(path, delimiter, shown), None)
    if first is None:
        raise SourceError("sources.empty", path=shown)
    line = first.text(0).decode("utf-8", "replace")
    found = _fields(line, delimiter)
    promised = [c.name for c in contract.columns]
    for other in _DELIMITERS.replace(delimiter, ""):
        if len(promised) > 1 and sorted(_fields(line, other)) == sorted(promised):
            raise SourceError("sources.other_delimiter", path=shown, delimiter=delimiter, other=other)
    compare(found, contract, shown)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [""])
    except csv.Error:
        return [line]


def _survey(path: Path, delimiter: str, width: int, shown: str) -> tuple[int, bool]:
    """How many data records there are, and whether DuckDB can read the file as it is."""
    count, as_it_is = -1, not _ends_with_empty_line(path)
    for run in records(path, delimiter, shown, width=width):
        count += len(run)
        # NOTE: DuckDB 2.0 reads no row of a file with CR LF when told so, and fails on mixed line ends.
        as_it_is = as_it_is and not run.faults and not (run.nexts - run.stops == 2).any()
    return max(count, 0), as_it_is


def _ends_with_empty_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read().endswith((b"\n\n", b"\n\r\n"))


def _write_readable(runs: Iterator[Records], target: Path, delimiter: str, width: int, marker: str) -> None:
    """The same records with one line end, placeholders for damaged ones, and no empty lines at the end."""
    placeholder = (marker + delimiter * (width - 1) + "\n").encode()
    with writing(target.parent), target.open("wb") as file:
        for run in runs:
            position = 0
            for index in sorted(run.faults):
                file.write(_with_plain_ends(run, position, index))
                file.write(placeholder)
                position = index + 1
            file.write(_with_plain_ends(run, position, len(run)))


def _with_plain_ends(run: Records, first: int, last: int) -> bytes:
    if first == last:
        return b""
    start, end = int(run.starts[first]), int(run.nexts[last - 1])
    stops, nexts = run.stops[first:last], run.nexts[first:last]
    returns = stops[nexts - stops == 2] - start
    if not len(returns):
        return run.buffer[start:end]
    return np.delete(np.frombuffer(run.buffer[start:end], np.uint8), returns).tobytes()


def _scan(path: Path, delimiter: str, columns: Sequence[str], nulls: Sequence[str]) -> str:
    typed = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
    options = {
        "auto_detect": "false",
        "header": "false",
        "skip": "1",
        "delim": literal(delimiter),
        "quote": literal('"'),
        "escape": literal('"'),
        "new_line": literal("\\n"),
        "columns": f"{{{typed}}}",
        "nullstr": literal(list(nulls)),
        "allow_quoted_nulls": "false",
        "null_padding": "false",
        "strict_mode": "true",
    }
    return f"read_csv({literal(str(path))}, {', '.join(f'{k} = {v}' for k, v in options.items())})"


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(literal(v) for v in values)})"


def _rejects(engine: Engine, runs: Iterator[Records], reading: Reading) -> Iterator[tuple[int, str, str]]:
    for run in runs:
        for number, broken in bad_rows(engine, reading, run.first, run.first + len(run) - 1):
            index = number - run.first
            line = run.line_of(index)
            if whole_fault(broken) == "header":
                raise SourceError("sources.second_header", path=reading.shown, line=line)
            if index in run.faults:
                fault = run.faults[index]
                said = reason(line, fault, found=int(run.fields[index]), expected=len(reading.types))
            else:
                said = types_reason(line, broken, reading.types)
            yield number, run.text(index).decode("utf-8", "backslashreplace"), said
