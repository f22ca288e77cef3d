"""Events as files: one NDJSON file per UTC day, to which lines are added and in which none changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ecluse.errors import StorageError


@dataclass(frozen=True)
class Day:
    """One UTC day (``2013-01-31``) and how many bytes its events fill, line ends included."""

    name: str
    bytes: int


def export_days(folder: Path, days: Iterable[Day], lines: Callable[[str], Sequence[str]]) -> tuple[Path, ...]:
    """Add to each day's file what it lacks; the files that grew.

    A file that has its day's size is left alone unread, so that an export costs what is new.
    """
    grown: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for day in days:
            path = folder / f"{day.name}.ndjson"
            if path.exists() and path.stat().st_size == day.bytes:
                continue
            if _complete(path, lines(day.name)):
                grown.append(path)
    except OSError as error:
        raise StorageError("lineage.export", folder=folder, error=error.strerror or error) from error
    return tuple(grown)


def _complete(path: Path, lines: Sequence[str]) -> bool:
    # NOTE: lines are compared one by one and not by position: with several writers, an event that took its number
    # earlier may be committed later.
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = _whole_lines(file)
        missing = [line for line in (text.encode("ascii") for text in lines) if line not in there]
        file.write(b"".join(line + b"\n" for line in missing))
        file.flush()
        os.fsync(file.fileno())
    return bool(missing)


def _whole_lines(file: BinaryIO) -> set[bytes]:
    """The lines of a file, whose last one is cut off where a writer died within it."""
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.truncate(len(whole))
    return set(whole.splitlines())
