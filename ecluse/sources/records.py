"""Finds the records of a CSV file exactly as RFC 4180 defines them, and says which are damaged.

It counts and cuts, and converts nothing: DuckDB reads the values, and the two must agree. A file without damage is cut
with array operations on whole chunks; a chunk in which a quote stands where none may is read record by record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecluse.errors import SourceError

Positions = npt.NDArray[np.int64]

CHUNK = 8 * 2**20
#: DuckDB reads records up to 2,000,000 bytes; longer ones are nearly always a quote that was never closed.
LONGEST = 1_999_000
_BOM = b"\xef\xbb\xbf"
_QUOTE, _LF, _CR, _NUL = 34, 10, 13, 0
_QUOTED_CELL = rb'"[^"]*+(?:""[^"]*+)*+"'
_QUOTED = re.compile(_QUOTED_CELL)


@dataclass(frozen=True)
class Records:
    """A run of consecutive records.

    ``first`` is the number of the first (the header is 0), ``line`` the number of the physical line on which it
    starts. Record ``i`` is ``buffer[starts[i]:stops[i]]`` without its line end, and the next one starts at
    ``nexts[i]``. ``faults`` names what is wrong with a record, by index.
    """

    first: int
    line: int
    buffer: bytes
    starts: Positions
    stops: Positions
    nexts: Positions
    fields: Positions
    faults: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, index: int) -> bytes:
        """The bytes of one record."""
        return self.buffer[self.starts[index] : self.stops[index]]

    def line_of(self, index: int) -> int:
        """The physical line on which a record starts, from 1."""
        return self.line + int(np.searchsorted(self._breaks, self.starts[index]))

    @cached_property
    def _breaks(self) -> Positions:
        return np.flatnonzero(np.frombuffer(self.buffer, np.uint8) == _LF)


@dataclass(frozen=True)
class _Cut:
    starts: Positions
    stops: Positions
    nexts: Positions
    fields: Positions
    faults: dict[int, str]


def records(path: Path, delimiter: str, shown: str, *, width: int | None = None) -> Iterator[Records]:
    """All records of a file, header included, in runs.

    ``delimiter`` is one ASCII character. With ``width``, records with another number of fields are faults, and so are
    empty lines, except those that end the file: these are no records. Raises ``SourceError`` where nobody could tell
    in which record a byte stands: a quote that is never closed, or closed in the middle of a later line.
    """
    carry, first, line = b"", 0, 1
    pending: list[Records] = []
    with path.open("rb") as file:
        if (start := file.read(len(_BOM))) != _BOM:
            carry = start
        final = False
        while not final:
            chunk = file.read(CHUNK)
            final = not chunk
            buffer = carry + chunk
            if final and buffer and not buffer.endswith(b"\n"):
                buffer += b"\n"
            cut = _cut(buffer, ord(delimiter), shown, line, final=final)
            end = int(cut.nexts[-1]) if len(cut.nexts) else 0
            if not end and len(buffer) > 4 * CHUNK:
                raise SourceError("sources.open_quote", path=shown, line=line)
            carry, used = buffer[end:], buffer[:end]
            run = _judged(Records(first, line, used, cut.starts, cut.stops, cut.nexts, cut.fields, cut.faults), width)
            first, line = first + len(run), line + used.count(b"\n")
            # An empty line at the very end is no record, so runs wait until something follows them.
            if len(run) and (width is None or _filled(run)):
                yield from pending
                pending = [run]
            elif len(run):
                pending.append(run)
    for run in _without_last_empty(pending) if width is not None else pending:
        yield run


def _cut(buffer: bytes, delimiter: int, shown: str, line: int, *, final: bool) -> _Cut:
    return _by_array(buffer, delimiter, final=final) or _by_record(buffer, delimiter, shown, line, final=final)


def _by_array(buffer: bytes, delimiter: int, *, final: bool) -> _Cut | None:
    """Cut a buffer that starts at a record; ``None`` where quotes or carriage returns stand where none may."""
    data = np.frombuffer(buffer, np.uint8)
    special = np.zeros(256, bool)
    special[[_QUOTE, _LF, _CR, _NUL, delimiter]] = True
    at: Positions = np.flatnonzero(special[data])
    byte = data[at]
    is_quote = byte == _QUOTE
    inside = (np.cumsum(is_quote) & 1).astype(bool)
    ends = at[(byte == _LF) & ~inside]
    if final and len(at) and inside[-1]:
        return None
    stop = int(ends[-1]) + 1 if len(ends) else 0
    opening = at[is_quote & inside]
    before = data[opening[opening > 0] - 1]
    closing = at[is_quote & ~inside]
    after = data[np.minimum(closing + 1, len(data) - 1)]
    # A quote whose next byte is not read yet stands behind the last record end, and is looked at again.
    after = after[closing < stop]
    returns = at[(byte == _CR) & ~inside]
    returns = returns[returns < stop]
    if (
        not np.isin(before, (delimiter, _LF, _QUOTE)).all()
        or not np.isin(after, (delimiter, _LF, _CR, _QUOTE)).all()
        or not (data[np.minimum(returns + 1, len(data) - 1)] == _LF).all()
    ):
        return None
    nexts = ends + 1
    starts = np.concatenate([np.zeros(1, np.int64), nexts])[:-1]
    stops = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == _CR))
    delimiters = at[(byte == delimiter) & ~inside]
    fields = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
    holes = np.searchsorted(starts, at[(byte == _NUL) & (at < stop)], side="right") - 1
    return _Cut(starts, stops, nexts, fields, {int(i): "nul" for i in np.unique(holes)})


def _by_record(buffer: bytes, delimiter: int, shown: str, line: int, *, final: bool) -> _Cut:
    """Cut record by record. A damaged record ends with its physical line; one that spans lines is refused."""
    separator = re.escape(bytes([delimiter]))
    one = rb"(?:" + _QUOTED_CELL + rb'|[^"\r\n' + separator + rb"]*+)"
    whole = re.compile(one + rb"(?:" + separator + one + rb")*+(\r?\n)")
    cells = re.compile(one + rb"(?:" + separator + rb"|\r?\n)")
    cuts: list[tuple[int, int, int, int]] = []
    faults: dict[int, str] = {}
    position = 0
    while position < len(buffer):
        if found := whole.match(buffer, position):
            record = found.group()
            count = len(cells.findall(record)) if b'"' in record else record.count(bytes([delimiter])) + 1
            cuts.append((position, found.start(1), found.end(), count))
            if b"\0" in record:
                faults[len(cuts) - 1] = "nul"
            position = found.end()
            continue
        bad = _first_bad_byte(buffer, position, delimiter)
        if bad is None or (end := buffer.find(b"\n", bad)) < 0:
            if final:
                raise SourceError("sources.open_quote", path=shown, line=line + buffer.count(b"\n", 0, position))
            break
        if b"\n" in buffer[position:bad]:
            raise SourceError("sources.lost_quote", path=shown, line=line + buffer.count(b"\n", 0, position))
        faults[len(cuts)] = "return" if buffer[bad] == _CR else "quote"
        cuts.append((position, end - (buffer[end - 1] == _CR), end + 1, 0))
        position = end + 1
    table = np.array(cuts, np.int64).reshape(-1, 4)
    return _Cut(table[:, 0], table[:, 1], table[:, 2], table[:, 3], faults)


def _first_bad_byte(buffer: bytes, position: int, delimiter: int) -> int | None:
    """Where the record at ``position`` stops being well formed; ``None`` where more bytes are needed to tell."""
    plain = re.compile(rb'[^"\r\n' + re.escape(bytes([delimiter])) + rb"]*")
    while True:
        found = (
            _QUOTED.match(buffer, position)
            if buffer[position : position + 1] == b'"'
            else plain.match(buffer, position)
        )
        if found is None or found.end() >= len(buffer):
            return None
        position = found.end()
        if buffer[position] != delimiter:
            return position
        position += 1


def _judged(run: Records, width: int | None) -> Records:
    faults = dict(run.faults)
    lengths = run.stops - run.starts
    if width is not None:
        for index in np.flatnonzero(run.fields != width).tolist():
            faults.setdefault(index, "fields")
        faults |= dict.fromkeys(np.flatnonzero(lengths == 0).tolist(), "empty")
        if run.first == 0:
            faults.pop(0, None)
    faults |= dict.fromkeys(np.flatnonzero(lengths > LONGEST).tolist(), "long")
    try:
        run.buffer.decode()
    except UnicodeDecodeError:
        for index in range(len(run)):
            try:
                run.text(index).decode()
            except UnicodeDecodeError:
                faults[index] = "encoding"
    return Records(run.first, run.line, run.buffer, run.starts, run.stops, run.nexts, run.fields, faults)


def _filled(run: Records) -> bool:
    return bool((run.stops > run.starts).any())


def _without_last_empty(runs: list[Records]) -> Iterator[Records]:
    for run in runs:
        filled = np.flatnonzero(run.stops > run.starts)
        keep = int(filled[-1]) + 1 if len(filled) else 0
        if keep:
            faults = {i: fault for i, fault in run.faults.items() if i < keep}
            end = int(run.nexts[keep - 1])
            yield Records(
                run.first,
                run.line,
                run.buffer[:end],
                run.starts[:keep],
                run.stops[:keep],
                run.nexts[:keep],
                run.fields[:keep],
                faults,
            )
