"""States of measures, kept per data file in a local folder: what they were measured of stands beside their hash.

The folder is a cache. A file of it that is missing, damaged, of another version or of other data counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from ecluse.quality.runs import Array, Run

    Hashes = np.ndarray[Any, np.dtype[np.uint64]]

#: Goes up whenever a measure's SQL or the meaning of a state changes.
PLANNER = 3
#: Libraries whose versions may change what a measure says.
_LIBRARIES = ("duckdb", "great_expectations", "numpy", "python-dateutil", "jsonschema")
#: States of files that a table no longer has are kept this long, for candidates that are checked at the same time.
_KEPT = 24 * 3600.0
_DIGEST = 32


class NoState(Exception):
    """A value that can't be kept, or states that can't be merged: the whole is measured instead."""


@cache
def versions() -> str:
    """What a state depends on beside the data."""
    return " ".join([str(PLANNER), sys.version.split()[0], *(f"{name}-{version(name)}" for name in _LIBRARIES)])


class States:
    """The states in ``folder`` that were measured under ``context``, a text that names versions and column types."""

    def __init__(self, folder: Path, context: str) -> None:
        self.folder = folder
        self.context = context

    def read(self, name: str) -> dict[str, Any]:
        """The states kept under ``name``; none where there are none that can be trusted."""
        try:
            written = self._path(name, "json").read_bytes()
            known, body = written[:64], written[65:]
            if hashlib.sha256(body).hexdigest().encode() != known:
                return {}
            found = json.loads(body)
        except (OSError, ValueError):
            return {}
        if found.get("name") != name or found.get("context") != self.context:
            return {}
        states: dict[str, Any] = _decoded(found["states"])
        return states

    def write(self, name: str, states: dict[str, Any]) -> None:
        """Keep states under ``name``; where the folder refuses them, they are measured again next time."""
        written = {key: _encoded(state) for key, state in states.items()}
        body = json.dumps({"name": name, "context": self.context, "states": {"object": written}}).encode()
        self._put(name, "json", [hashlib.sha256(body).hexdigest().encode() + b"\n", body])

    def read_hashes(self, name: str) -> Hashes | None:
        """The sorted key hashes kept under ``name``, or ``None``."""
        import numpy as np

        try:
            written = self._path(name, "keys").read_bytes()
        except OSError:
            return None
        body = memoryview(written)[_DIGEST:]
        if len(body) % 8 or self._sealed(name, body) != written[:_DIGEST]:
            return None
        return np.frombuffer(body, dtype=np.uint64)

    def write_hashes(self, name: str, hashes: Hashes) -> None:
        """Keep sorted key hashes under ``name``."""
        body = memoryview(hashes.view("uint8").data)
        self._put(name, "keys", [self._sealed(name, body), body])

    def read_runs(self, name: str, kind: np.dtype[Any]) -> list[Run] | None:
        """The sorted runs of numbers kept under ``name``, or ``None``; what is asked of them reads their file."""
        from ecluse.quality import runs

        return runs.read(self._path(name, "runs"), kind, lambda table: self._sealed(name, table))

    def write_runs(self, name: str, found: Iterable[Array]) -> None:
        """Keep sorted runs of numbers under ``name``."""
        from ecluse.quality import runs

        self._put(name, "runs", runs.parts(found, lambda table: self._sealed(name, table)))

    def keep_only(self, names: Iterable[str]) -> None:
        """Delete what is about files that the table doesn't have, unless it is of today."""
        kept = {self._path(name, "json").name.split(".")[0] for name in names}
        before = time.time() - _KEPT
        for path in self.folder.glob("*.*"):
            if path.name.split(".")[0] not in kept and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _sealed(self, name: str, body: bytes | memoryview) -> bytes:
        found = hashlib.sha256(f"{name}\n{self.context}\n".encode())
        found.update(body)
        return found.digest()

    def _path(self, name: str, kind: str) -> Path:
        # The part before the first dot is the data file's: what belongs to it goes with it.
        digest, _, of = name.partition(":")
        short = hashlib.sha256(digest.encode()).hexdigest()[:32]
        return self.folder / (
            f"{short}.{hashlib.sha256(of.encode()).hexdigest()[:16]}.{kind}" if of else f"{short}.{kind}"
        )

    def _put(self, name: str, kind: str, parts: Iterable[bytes | memoryview]) -> None:
        path = self._path(name, kind)
        new = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                for part in parts:
                    file.write(part)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def told(value: Any) -> str:
    """A text that is the same only for arguments of a metric that mean the same; ``NoState`` for what has none."""
    match value:
        case None | bool() | int() | float() | str() | Decimal() | datetime() | date():
            return f"{type(value).__name__}({value!r})"
        case list() | tuple():
            return "[" + ",".join(told(v) for v in value) + "]"
        case set() | frozenset():
            return "{" + ",".join(sorted(told(v) for v in value)) + "}"
        case dict():
            return "{" + ",".join(sorted(f"{told(k)}:{told(v)}" for k, v in value.items())) + "}"
    if isinstance(value, Enum):
        return told(value.value)
    if hasattr(value, "__fields__"):
        # GX's row conditions.
        fields = {name: getattr(value, name) for name in value.__fields__}
        return f"{type(value).__name__}({told(fields)})"
    raise NoState(type(value).__name__)


_READ_BACK: dict[str, Callable[[str], Any]] = {
    "decimal": Decimal,
    "time": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def kept(state: Any) -> Any:
    """``state`` as it will be read back; ``NoState`` where it can't be kept."""
    return _decoded(json.loads(json.dumps(_encoded(state))))


def _encoded(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return {"decimal": str(value)}
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case list() | tuple():
            return [_encoded(v) for v in value]
        case dict():
            return {"object": {k: _encoded(v) for k, v in value.items()}}
    raise NoState(type(value).__name__)


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(v) for v in value]
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        if kind == "object":
            return {k: _decoded(v) for k, v in inner.items()}
        return _READ_BACK[kind](inner)
    return value


#: A file that was changed less than this many seconds before it was looked at may change again within the same tick.
_SETTLED = 2.0


def digests(paths: Iterable[Path], folder: Path) -> dict[Path, str]:
    """The SHA-256 of files; one whose size, time of change and inode are as before isn't read again.

    Below a folder named ``key=value``, which may give the file a column, the folders belong to the digest.
    """
    kept = States(folder, "files")
    known, found = kept.read("files"), {}
    new = {}
    for path in paths:
        before = path.stat()
        name = str(path.absolute())
        mark = [before.st_size, before.st_mtime_ns, before.st_ino]
        seen = known.get(name)
        if seen is None or seen[:3] != mark:
            with path.open("rb") as file:
                seen = [*mark, hashlib.file_digest(file, "sha256").hexdigest()]
            if time.time() - before.st_mtime > _SETTLED:
                new[name] = seen
        folders = str(path.parent) if "=" in str(path.parent) else ""
        found[path] = f"{seen[3]} {folders}"
    if new:
        kept.write("files", {**known, **new})
    return found
