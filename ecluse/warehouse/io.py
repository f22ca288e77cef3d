"""Files that are on the disk, and not only in a cache, before anything refers to them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO
from pyiceberg.typedef import EMPTY_DICT, Properties

_LOCAL = "file://"


def local_path(location: str) -> Path:
    """The path of a local location, with or without its scheme."""
    if location.startswith(_LOCAL):
        return Path(location.removeprefix(_LOCAL))
    return Path(location.removeprefix("file:"))


def location_of(path: Path) -> str:
    """The location under which Iceberg knows a local path."""
    return f"{_LOCAL}{path}"


def sync(path: Path, *, up_to: Path | None = None) -> None:
    """Wait until a file or folder, its entry, and with ``up_to`` the entries of all folders below, are on the disk."""
    folders = [path.parent]
    while up_to is not None and folders[-1] != up_to and up_to in folders[-1].parents:
        folders.append(folders[-1].parent)
    for place in (path, *folders):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _DurableStream(OutputStream):
    """A stream whose end waits for the disk."""

    def __init__(self, stream: OutputStream, path: Path) -> None:
        self._stream = stream
        self._path = path

    def write(self, b: bytes) -> int:
        return self._stream.write(b)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        sync(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excinst: BaseException | None, exctb: TracebackType | None
    ) -> None:
        self.close()


class _DurableFile(PyArrowFile):
    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: FBT001, FBT002 - PyIceberg's own signature
        return _DurableStream(super().create(overwrite), Path(self._path))


class DurableFileIO(PyArrowFileIO):
    """PyIceberg's file IO, with every local file synced when it is closed: PyIceberg itself never does."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)

    @staticmethod
    def parse_location(location: str, properties: Properties = EMPTY_DICT) -> tuple[str, str, str]:
        """Scheme, host and path; a local path is taken as it is, whatever ``#`` or ``?`` it holds."""
        if location.startswith(_LOCAL):
            return "file", "", location.removeprefix(_LOCAL)
        return PyArrowFileIO.parse_location(location, properties)

    def new_output(self, location: str) -> PyArrowFile:
        """A file to write."""
        out = super().new_output(location)
        if not location.startswith((_LOCAL, "/")):
            return out
        return _DurableFile(location, out._path, out._filesystem, out._buffer_size)  # noqa: SLF001
