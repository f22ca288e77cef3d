"""The warehouse's files in a local folder."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ecluse.errors import IntegrityError
from ecluse.warehouse.io import DurableFileIO, local_path, location_of, sha256, sync
from ecluse.warehouse.objects import Hashes, Listed, ObjectStore, Wanted

#: Hashes that this process has computed, by what of a file changes with its content.
_hashed: dict[_Mark, str] = {}
#: How old the last change must be, in nanoseconds: within one tick of a disk's clock two contents can look the same.
_SETTLED = 2_000_000_000


class FolderStore(ObjectStore):
    """Files that DuckDB reads and writes where they lie."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.location = location_of(self.root)
        self.io = DurableFileIO()

    def prepare(self) -> None:
        """Make the folder where there is none."""
        self.root.mkdir(parents=True, exist_ok=True)

    def path(self, location: str) -> str:
        """The path of a location."""
        path = local_path(location)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def location_of(self, path: str) -> str:
        """The location of a path."""
        return location_of(self.root / path)

    def local(self, path: str) -> Path:
        """Where a file stands: below the root."""
        return self.root / path

    @property
    def stem(self) -> tuple[str, str]:
        """A local file's name is its location without the scheme."""
        return "^file:(//)?", ""

    def put(self, files: Mapping[str, str]) -> None:
        """Wait until the files and their folders are on the disk."""
        for path in files:
            sync(self.root / path)
        for folder in {(self.root / path).parent for path in files}:
            sync(folder, up_to=self.root)

    def settle(self, path: str) -> None:
        """Wait until the folders on the way to a new file are on the disk."""
        sync(self.root / path, up_to=self.root)

    def fetch(self, dataset: str, wanted: Sequence[Wanted], hashes: Hashes) -> dict[str, Path]:  # noqa: ARG002
        """The files where they lie; their hashes are checked where a release is opened."""
        found = {file.path: self.root / file.path for file in wanted}
        for path, size in wanted:
            try:
                there = found[path].stat().st_size
            except FileNotFoundError as error:
                raise IntegrityError("warehouse.missing_file", dataset=dataset, path=found[path]) from error
            if there != size:
                raise IntegrityError(
                    "warehouse.altered_file", dataset=dataset, path=found[path], found=there, wanted=size
                )
        return found

    def digest(self, path: str) -> str:
        """SHA-256 of a file; it is read again when its size, a time or its inode changed, or just changed."""
        file = self.root / path
        mark, now = _Mark.of(file), time.time_ns()
        if mark in _hashed:
            return _hashed[mark]
        found = sha256(file)
        if mark == _Mark.of(file) and mark.changed < now - _SETTLED:
            _hashed[mark] = found
        return found

    def walk(self, folder: str, without: Collection[str] = ()) -> Iterator[Listed]:
        """Every file below a folder."""
        others = {self.root / one for one in without}
        for name, folders, files in os.walk(self.root / folder):
            here = Path(name)
            folders[:] = sorted(one for one in folders if here / one not in others)
            for file in sorted(files):
                try:
                    found = (here / file).lstat()
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield Listed((here / file).relative_to(self.root).as_posix(), found.st_size, found.st_mtime)

    def names(self, folder: str) -> list[str]:
        """What lies in a folder itself."""
        return [entry.name for entry in (self.root / folder).iterdir()]

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, and each folder of data files that is empty then."""
        for path in paths:
            file = self.root / path
            try:
                file.unlink(missing_ok=True)
                if file.suffix == ".parquet" and not any(file.parent.iterdir()):
                    file.parent.rmdir()
            except OSError:
                continue

    def tidy(self, paths: Iterable[str]) -> None:
        """Remove empty folders, up to the root."""
        for path in paths:
            for folder in (self.root / path).parents:
                if folder == self.root or not folder.is_relative_to(self.root):
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break

    def touch(self, paths: Iterable[str]) -> None:
        """Mark files as changed now."""
        for path in paths:
            with contextlib.suppress(OSError):
                os.utime(self.root / path)

    def rights(self) -> str:
        """What this process may do in the folder."""
        return ("r" if os.access(self.root, os.R_OK) else "-") + ("w" if os.access(self.root, os.W_OK) else "-")


class _Mark(NamedTuple):
    """What of a file changes with its content. The time of the last change can't be set by whoever writes the file."""

    path: str
    inode: int
    size: int
    written: int
    changed: int

    @classmethod
    def of(cls, file: Path) -> _Mark:
        found = file.stat()
        return cls(str(file), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
