"""Where the warehouse's files lie, seen in one way: a local folder, or a bucket whose files are copied here to be read.

A file's ``path`` is its place below the warehouse's root, with slashes; a file that lies elsewhere keeps its location.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pyiceberg.io import FileIO

from ecluse.model.location import S3Location
from ecluse.warehouse.border import border

#: Gives the recorded SHA-256 of files, by path; a file without a record is left out.
Hashes = Callable[[Collection[str]], Mapping[str, str]]


class Wanted(NamedTuple):
    """A file to be read, with the size that it was written with."""

    path: str
    size: int


@dataclass(frozen=True)
class Listed:
    """A file that is there: its size, and when it was last changed, in seconds since 1970."""

    path: str
    size: int
    changed: float


class ObjectStore(ABC):
    """The files of a warehouse. ``location`` is the root's, as Iceberg writes it; ``io`` is Iceberg's way to them."""

    location: str
    io: FileIO

    @abstractmethod
    def prepare(self) -> None:
        """Make what the first write needs, where that is this process's to make."""

    @abstractmethod
    def path(self, location: str) -> str:
        """The path of a location."""

    @abstractmethod
    def location_of(self, path: str) -> str:
        """The location of a path."""

    @abstractmethod
    def local(self, path: str) -> Path:
        """Where a file, or a folder to be written, stands on the local disk; a file elsewhere only once fetched."""

    @property
    @abstractmethod
    def stem(self) -> tuple[str, str]:
        """A regular expression for the beginning of every location, and what stands there in the local file's name."""

    @abstractmethod
    def put(self, files: Mapping[str, str]) -> None:
        """Make files durable and seen by all that were written where ``local`` says; ``files`` maps path to SHA-256."""

    @abstractmethod
    def settle(self, path: str) -> None:
        """Wait until the folders on the way to a new file are durable too."""

    @abstractmethod
    def fetch(self, dataset: str, wanted: Sequence[Wanted], hashes: Hashes) -> dict[str, Path]:
        """Local files by path, to be read while this store lives.

        ``IntegrityError`` where one is gone or has another size, or is fetched and hasn't the recorded hash.
        """

    @abstractmethod
    def digest(self, path: str) -> str:
        """SHA-256 of a file as it is now; a file that didn't change is read once. ``FileNotFoundError``."""

    @abstractmethod
    def walk(self, folder: str, without: Collection[str] = ()) -> Iterator[Listed]:
        """Every file below a folder, but for those below the folders in ``without``."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """The names of what lies in a folder itself; much cheaper than a walk."""

    @abstractmethod
    def delete(self, paths: Iterable[str]) -> None:
        """Delete files that nothing refers to any more; what can't be deleted stays."""

    @abstractmethod
    def tidy(self, paths: Iterable[str]) -> None:
        """Remove the folders that are empty where files were deleted."""

    @abstractmethod
    def touch(self, paths: Iterable[str]) -> None:
        """Mark files as changed now."""

    @abstractmethod
    def rights(self) -> str:
        """What this process may do: ``rw``, ``r-``, ``-w`` or ``--``."""


def open_store(root: Path | S3Location) -> ObjectStore:
    """The files under a warehouse's root."""
    # NOTE: the S3 client takes a while to load, and most projects have none.
    if isinstance(root, S3Location):
        from ecluse.warehouse.s3 import S3Store

        with border("-"):
            return S3Store(root)
    from ecluse.warehouse.folder import FolderStore

    return FolderStore(root)
