"""Copies of objects on the local disk: shared by processes, bounded, the longest unused deleted first.

.. code-block:: text

    <folder>/cache/<place>-<version>-<sha256>   one entry for each version of an object
    <folder>/held/<process>/<bucket>/…          what one process reads: links to entries, in the objects' own order
    <folder>/held/<process>.lock                locked while that process lives

A process reads its own links, so that an entry can be deleted at any time, by any process. An entry says what it holds,
and is compared with that before it is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
import weakref
from pathlib import Path

from ecluse.warehouse.io import sha256


class Copies:
    """This process's copies. They are deleted with this object; the shared entries stay, up to ``limit`` bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._cache, held = folder / "cache", folder / "held"
        self._limit = limit
        for one in (self._cache, held):
            one.mkdir(parents=True, exist_ok=True)
        _clean(held)
        name = uuid.uuid4().hex
        self.held = held / name
        # NOTE: the lock gets its name once it is locked, or another process could take it for a dead one's.
        fresh = held / f".{name}"
        self._lock = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.held.mkdir()
        lock = fresh.rename(held / f"{name}.lock")
        weakref.finalize(self, _leave, self.held, lock, self._lock, os.getpid())

    def fresh(self, path: Path) -> Path:
        """A new file's name beside a copy's, for what isn't checked yet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{uuid.uuid4().hex}")

    def take(self, location: str, version: str, path: Path) -> str | None:
        """Link an entry to ``path``, where there is one that holds what it says; its SHA-256."""
        for entry in self._cache.glob(f"{_digest(location)}-{_digest(version)}-*"):
            link, said = self.fresh(path), entry.name.rpartition("-")[2]
            try:
                os.link(entry, link)
            except FileNotFoundError:
                continue
            if sha256(link) == said:
                link.replace(path)
                os.utime(path)
                return said
            link.unlink()
            entry.unlink(missing_ok=True)
        return None

    def keep(self, location: str, version: str, path: Path, digest: str) -> None:
        """Share the copy at ``path`` as an entry, and delete the longest unused entries above the limit."""
        # NOTE: in the cache, others could delete it for room before it has its name.
        link = self.fresh(path)
        os.link(path, link)
        link.replace(self._cache / f"{_digest(location)}-{_digest(version)}-{digest}")
        entries = []
        with os.scandir(self._cache) as found:
            for entry in found:
                with contextlib.suppress(FileNotFoundError):
                    entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in entries)
        for _, size, name in sorted(entries):
            if total <= self._limit:
                break
            Path(name).unlink(missing_ok=True)
            total -= size

    def forget(self, location: str) -> None:
        """Delete every entry of an object that was deleted, whatever its version."""
        for entry in self._cache.glob(f"{_digest(location)}-*"):
            entry.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _clean(held: Path) -> None:
    """Delete what processes left behind that were killed."""
    for lock in held.glob("*.lock"):
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _leave(held: Path, lock: Path, descriptor: int, process: int) -> None:
    # NOTE: a forked child has this object too, and must not delete what its parent reads.
    if os.getpid() == process:
        shutil.rmtree(held, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(descriptor)
