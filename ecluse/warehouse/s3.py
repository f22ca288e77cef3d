"""The warehouse's files in a bucket: written here and uploaded, copied here once and read."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pyarrow import fs

from ecluse.errors import IntegrityError, StorageError
from ecluse.model.location import S3Location
from ecluse.warehouse.copies import Copies
from ecluse.warehouse.objects import Hashes, Listed, ObjectStore, Wanted
from ecluse.warehouse.s3io import S3FileIO, S3Files, key_of

_log = logging.getLogger("ecluse.warehouse")

_AT_ONCE = 8
_CHUNK = 8 * 2**20
#: An object can't be given another time; one beside it, with this ending, marks it as changed when that was made.
_TOUCHED = ".touched"

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class _Copy:
    """A local copy: the object's version, and the content's SHA-256."""

    version: str
    sha256: str


class S3Store(ObjectStore):
    """Files under a prefix of a bucket. DuckDB reads and writes copies; what it wrote is uploaded by ``put``."""

    def __init__(self, location: S3Location) -> None:
        self.location = str(location)
        self._files = S3Files(location)
        self._s3 = self._files.filesystem
        self.io = S3FileIO(self._files)
        self._copies = Copies(location.local, location.cache_bytes)
        self._here: dict[str, _Copy] = {}
        self._touched: set[str] = set()

    def prepare(self) -> None:
        """A bucket is made by who pays for it."""

    def path(self, location: str) -> str:
        """The path of a location; ``s3a`` and ``s3n`` are other engines' words for the same."""
        whole = f"s3://{key_of(location)}"
        return whole.removeprefix(f"{self.location}/")

    def location_of(self, path: str) -> str:
        """The location of a path."""
        return path if path.startswith("s3://") else f"{self.location}/{path}"

    def local(self, path: str) -> Path:
        """Where the copy stands, or will stand."""
        place = Path(os.path.normpath(self._copies.held / key_of(self.location_of(path))))
        if not place.is_relative_to(self._copies.held):
            raise IntegrityError("warehouse.missing_file", dataset="-", path=self.location_of(path))
        return place

    @property
    def stem(self) -> tuple[str, str]:
        """A copy's name is the folder of this process's copies, then the location without the scheme."""
        return "^s3[an]?://", f"{self._copies.held}/".replace("\\", "\\\\")

    def put(self, files: Mapping[str, str]) -> None:
        """Upload files, each with the size that it has here."""

        def upload(path: str) -> None:
            here, key = self.local(path), self._key(path)
            with self._files.errors():
                fs.copy_files(str(here), key, source_filesystem=fs.LocalFileSystem(), destination_filesystem=self._s3)
            size, version = self._head(path)
            if size != here.stat().st_size:
                raise StorageError(
                    "warehouse.upload", path=self.location_of(path), found=size, wanted=here.stat().st_size
                )
            self._here[path] = _Copy(version, files[path])
            self._copies.keep(self.location_of(path), version, here, files[path])

        self._each(upload, files)

    def settle(self, path: str) -> None:
        """An object is there as soon as it is written, and needs no folder."""

    def fetch(self, dataset: str, wanted: Sequence[Wanted], hashes: Hashes) -> dict[str, Path]:
        """Copies of these files, made where this process has none yet."""
        missing = [file for file in wanted if file.path not in self._here]
        known = hashes([file.path for file in missing]) if missing else {}

        def copy(file: Wanted) -> None:
            path, digest = self.location_of(file.path), known.get(file.path)
            try:
                size, version = self._head(file.path)
                if size == file.size:
                    size = self._copy(file.path, version, digest)
            except FileNotFoundError as error:
                raise IntegrityError("warehouse.missing_file", dataset=dataset, path=path) from error
            if size == file.size and digest in (None, self._here[file.path].sha256):
                return
            self._here.pop(file.path, None)
            if size != file.size:
                raise IntegrityError("warehouse.altered_file", dataset=dataset, path=path, found=size, wanted=file.size)
            raise IntegrityError("warehouse.other_content", dataset=dataset, path=path)

        self._each(copy, missing)
        return {file.path: self.local(file.path) for file in wanted}

    def digest(self, path: str) -> str:
        """SHA-256 of an object as it is now; its version, which the store tells, says whether it changed."""
        _, version = self._head(path)
        found = self._here.get(path)
        if found is None or found.version != version:
            self._copy(path, version, None)
        return self._here[path].sha256

    def walk(self, folder: str, without: Collection[str] = ()) -> Iterator[Listed]:
        """Every object below a prefix."""
        base = self._key(folder).rstrip("/")
        with self._files.errors():
            found = self._s3.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
        there = {self.path(info.path): info for info in found if info.type == fs.FileType.File}
        for path, info in sorted(there.items()):
            is_mark = path.endswith(_TOUCHED) and path.removesuffix(_TOUCHED) in there
            if is_mark or any(path.startswith(f"{other}/") for other in without):
                continue
            mark = there.get(path + _TOUCHED)
            if mark is not None:
                self._touched.add(path)
            changed = max(one.mtime.timestamp() for one in (info, mark) if one is not None)
            yield Listed(path, info.size, changed)

    def names(self, folder: str) -> list[str]:
        """The names of the objects right below a prefix."""
        with self._files.errors():
            found = self._s3.get_file_info(fs.FileSelector(self._key(folder).rstrip("/"), allow_not_found=True))
        return [info.base_name for info in found]

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects with their marks, and the copies of them that are shared here."""
        given = list(paths)

        def delete(path: str) -> None:
            self._here.pop(path, None)
            self._copies.forget(self.location_of(path))
            for one in (path, path + _TOUCHED) if path in self._touched else (path,):
                with suppress(FileNotFoundError):
                    self.io.delete(self.location_of(one))

        def drop(folder: str) -> None:
            # NOTE: where nothing is left below a prefix, PyArrow writes an empty object that stands for a folder.
            with self._files.errors():
                if not any(f.type == fs.FileType.File for f in self._s3.get_file_info(fs.FileSelector(folder))):
                    self._s3.delete_dir(folder)

        try:
            self._each(delete, given)
            self._each(drop, {self._key(p).rpartition("/")[0] for p in given if p.endswith(".parquet")})
        except (FileNotFoundError, StorageError) as error:
            _log.debug("%d files may stay behind: %s", len(given), error)

    def tidy(self, paths: Iterable[str]) -> None:
        """A bucket has no folders that would be left."""

    def touch(self, paths: Iterable[str]) -> None:
        """Write a mark beside each object."""

        def mark(path: str) -> None:
            with self.io.new_output(self.location_of(path + _TOUCHED)).create():
                pass

        self._each(mark, paths)

    def rights(self) -> str:
        """What the store lets this process do, found by trying; an object that is written is deleted again."""
        probe = f"{self.location}/.ecluse-doctor"

        def may(act: Callable[[], object]) -> bool:
            try:
                act()
            except StorageError as error:
                if error.key == "warehouse.store_denied":
                    return False
                raise
            return True

        def write() -> None:
            with self.io.new_output(probe).create() as stream:
                stream.write(b"")
            with suppress(FileNotFoundError):
                self.io.delete(probe)

        def read() -> None:
            with self._files.errors():
                self._s3.get_file_info(fs.FileSelector(key_of(self.location), allow_not_found=True))

        return ("r" if may(read) else "-") + ("w" if may(write) else "-")

    def _key(self, path: str) -> str:
        return key_of(self.location_of(path))

    def _head(self, path: str) -> tuple[int, str]:
        """An object's size, and what the store calls this version of it; ``FileNotFoundError``."""
        with self._files.errors(), self._s3.open_input_file(self._key(path)) as file:
            told = file.metadata()
            return int(file.size()), (told.get("ETag") or told["Last-Modified"]).decode()

    def _copy(self, path: str, version: str, digest: str | None) -> int:
        """Have a version of an object here, from the shared copies or the store; the copy's size.

        ``digest`` is the SHA-256 that it should have, where that is known.
        """
        location, place = self.location_of(path), self.local(path)
        if (shared := self._copies.take(location, version, place)) is not None:
            self._here[path] = _Copy(version, shared)
            return place.stat().st_size
        fresh, hashed = self._copies.fresh(place), hashlib.sha256()
        try:
            with fresh.open("wb") as here, self._open(path) as there:
                while chunk := self._chunk(there):
                    hashed.update(chunk)
                    here.write(chunk)
            fresh.replace(place)
        finally:
            fresh.unlink(missing_ok=True)
        found = hashed.hexdigest()
        self._here[path] = _Copy(version, found)
        # NOTE: it may have changed between being asked for its version and being read.
        if found == digest or (digest is None and self._head(path)[1] == version):
            self._copies.keep(location, version, place, found)
        return place.stat().st_size

    def _open(self, path: str) -> Any:
        with self._files.errors():
            return self._s3.open_input_file(self._key(path))

    def _chunk(self, file: Any) -> bytes:
        # NOTE: only what the store does is the store's error: the local disk may be full as well.
        with self._files.errors():
            return bytes(file.read(_CHUNK))

    def _each(self, act: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do something for each item, a few at once; the first error is raised when all are done."""
        given = list(items)
        if len(given) < 2:
            return [act(item) for item in given]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(act, given))
