"""Keeps raw bytes: copies an original to ``raw/<sha256>`` before anything reads it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from ecluse.errors import IntegrityError, SourceError, StorageError
from ecluse.sources.result import RawInput

_CHUNK = 4 * 2**20


def keep_file(original: Path, raw: Path, origin: str) -> RawInput:
    """Copy ``original`` to ``raw/<sha256>``, hashing on the way, and confirm that it stood still meanwhile.

    Bytes that are kept already are not written again; they are hashed, and ``IntegrityError`` says when they are no
    longer what their name says.
    """
    incoming = raw / f".incoming-{uuid.uuid4().hex}"
    try:
        with _opened(original) as source:
            before = os.fstat(source)
            sha256, size = _copy(source, incoming, original)
            after = os.fstat(source)
        if _state(before) != _state(after) or _state(after) != _state(_stat(original)) or size != after.st_size:
            raise SourceError("sources.changed", path=original)
        return RawInput(origin, sha256, size, settle(incoming, raw, sha256))
    finally:
        with contextlib.suppress(OSError):
            incoming.unlink(missing_ok=True)


def settle(incoming: Path, raw: Path, sha256: str) -> Path:
    """Give a complete file its name among the raw bytes, read-only from then on; the place where it is kept."""
    kept = raw / sha256
    if kept.exists():
        if hash_file(kept) != sha256:
            raise IntegrityError("sources.kept_altered", path=kept)
        # NOTE: bytes that are needed again are as young as new ones: a sweep may have them in view.
        with contextlib.suppress(OSError):
            os.utime(kept)
        return kept
    with writing(raw):
        incoming.chmod(0o444)
        incoming.replace(kept)
        folder = os.open(raw, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return kept


def confirm(original: Path, kept: RawInput) -> None:
    """Hash ``original`` again: ``SourceError("sources.changed")`` where it is gone or isn't what was kept."""
    try:
        same = hash_file(original) == kept.sha256
    except OSError as error:
        raise SourceError("sources.changed", path=original) from error
    if not same:
        raise SourceError("sources.changed", path=original)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _opened(original: Path) -> Iterator[int]:
    mode = _stat(original).st_mode
    if stat.S_ISDIR(mode):
        raise SourceError("sources.directory", path=original)
    if not stat.S_ISREG(mode):
        raise SourceError("sources.not_a_file", path=original)
    try:
        descriptor = os.open(original, os.O_RDONLY)
    except OSError as error:
        raise SourceError("sources.unreadable", path=original, error=error.strerror or error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stat(original: Path) -> os.stat_result:
    try:
        return original.stat()
    except FileNotFoundError as error:
        raise SourceError("sources.missing_file", path=original) from error
    except OSError as error:
        raise SourceError("sources.unreadable", path=original, error=error.strerror or error) from error


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _copy(source: int, target: Path, original: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as copy:
            while chunk := _read(source, original):
                digest.update(chunk)
                size += len(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _read(source: int, original: Path) -> bytes:
    try:
        return os.read(source, _CHUNK)
    except OSError as error:
        raise SourceError("sources.unreadable", path=original, error=error.strerror or error) from error


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Map what a disk says while we write to it: ``StorageError``."""
    try:
        yield
    except OSError as error:
        raise StorageError("sources.no_room", path=folder, error=error.strerror or error) from error
