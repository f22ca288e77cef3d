"""Whether the files of a release are, byte for byte, what was released."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ecluse.errors import IntegrityError
from ecluse.model.release import DataFile, TableVersion

#: Hashes that this process has computed, by path, size and time of the last change: a file is read once.
_hashed: dict[tuple[str, int, int], str] = {}


def verify_files(root: Path, products: Iterable[TableVersion]) -> None:
    """Hash every file under the warehouse's ``root``; ``IntegrityError`` for the first that is gone or altered."""
    for product in products:
        for file in product.files:
            _verify(root / file.path, file, product.dataset)


def _verify(path: Path, file: DataFile, dataset: str) -> None:
    try:
        found = path.stat()
        key = (str(path), found.st_size, found.st_mtime_ns)
        if key not in _hashed:
            with path.open("rb") as opened:
                _hashed[key] = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise IntegrityError("door.file_missing", dataset=dataset, path=path) from error
    except OSError as error:
        raise IntegrityError("door.file_unreadable", dataset=dataset, path=path, error=error.strerror) from error
    if _hashed[key] != file.sha256:
        raise IntegrityError(
            "door.file_altered", dataset=dataset, path=path, wanted=file.sha256[:16], found=_hashed[key][:16]
        )
