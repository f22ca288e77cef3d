"""What killed processes and dry runs leave beside the tables: half-copied bytes, spilled rows, empty tables."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import literal, select

from ecluse.model.names import quarantine_name
from ecluse.step.services import Services
from ecluse.store.schema import events

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_INCOMING = ".incoming-"


@dataclass(frozen=True, order=True)
class Leftover:
    """One thing that nothing needs any more: a file or folder of the profile's folder, or an empty table's name."""

    kind: Literal["incoming", "temporary", "raw", "table"]
    name: str
    bytes: int


def leftovers(services: Services, grace: timedelta) -> tuple[Leftover, ...]:
    """What has not been touched for ``grace`` and nothing needs.

    Files that a process of this machine holds open are none. Raw bytes are none while a fact or an event names them, or
    while a candidate stands that may be made from them. A table is one where no publication ever was of it.
    """
    before, state = time.time() - grace.total_seconds(), services.project.state
    incoming = [entry for entry in _entries(services.project.raw) if entry.name.startswith(_INCOMING)]
    open_ = _open_below(state)
    found = [
        *_old("incoming", incoming, state, before, open_),
        *_old("temporary", _entries(state / "tmp"), state, before, open_),
        *_old("raw", _unnamed_raw(services, before), state, before, open_),
    ]
    # NOTE: a dataset whose quarantine is empty is none; one that only a dry run began has no publication.
    published = {s.fact.predicate["dataset"] for s in services.log.facts("publication")}
    known = published | {quarantine_name(dataset) for dataset in published}
    empty = [name for name in services.warehouse.empty_tables(grace) if name not in known]
    found += [Leftover("table", name, 0) for name in empty]
    return tuple(sorted(found))


def clear(services: Services, found: tuple[Leftover, ...]) -> None:
    """Delete what ``leftovers`` found. The files of a table that is dropped go with the next sweep of the tables."""
    for one in found:
        if one.kind == "table":
            services.warehouse.drop_empty(one.name)
            continue
        path = services.project.state / one.name
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _unnamed_raw(services: Services, before: float) -> list[Path]:
    """Raw bytes that no publication and no event names: those of dry runs."""
    old = [e for e in _entries(services.project.raw) if _SHA256.match(e.name) and _changed(e) <= before]
    if not old or services.warehouse.candidates():
        return []
    named = {raw["sha256"] for s in services.log.facts("publication") for raw in s.fact.predicate["raw"]}
    return [entry for entry in old if entry.name not in named and not _told_of(services, entry.name)]


def _told_of(services: Services, sha256: str) -> bool:
    """Whether an event names these bytes: a run that was blocked or failed does, and a dry run tells nothing."""
    query = select(literal(1)).where(events.c.event.contains(sha256)).limit(1)
    with services.database.reading() as connection:
        return connection.execute(query).first() is not None


def _old(
    kind: Literal["incoming", "temporary", "raw"],
    entries: Iterable[Path],
    state: Path,
    before: float,
    open_: frozenset[str],
) -> Iterator[Leftover]:
    """Those files and folders that nobody touched since, and that no process holds open."""
    for entry in entries:
        inside = [entry, *entry.rglob("*")] if entry.is_dir() and not entry.is_symlink() else [entry]
        if any(_changed(one) > before or str(one.resolve()) in open_ for one in inside):
            continue
        size = sum(one.lstat().st_size for one in inside if not one.is_dir())
        yield Leftover(kind, entry.relative_to(state).as_posix(), size)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _changed(path: Path) -> float:
    """When a file was last changed, in seconds since 1970; one that is gone was changed just now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def _open_below(folder: Path) -> frozenset[str]:
    """The files below a folder that processes of this machine hold open, as far as the system lets us see."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        # NOTE: processes end while we look, and those of others are none of our business.
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return frozenset(name for name in found if Path(name).is_relative_to(folder.resolve()))
