"""Whether the files of a release are, byte for byte, what was released."""

from __future__ import annotations

from collections.abc import Iterable

from ecluse.errors import IntegrityError
from ecluse.model.release import DataFile, TableVersion
from ecluse.warehouse import ObjectStore, Warehouse


def verify_files(objects: ObjectStore, products: Iterable[TableVersion]) -> None:
    """Hash every file where the warehouse keeps it; ``IntegrityError`` for the first that is gone or altered."""
    for product in products:
        for file in product.files:
            _verify(objects, file, product.dataset)


def confirm_snapshot(warehouse: Warehouse, product: TableVersion) -> None:
    """``IntegrityError`` where the catalog names other files for the snapshot than the release does."""
    here = warehouse.exists(product.dataset) and warehouse.table_uuid(product.dataset) == product.table_uuid
    if not here or {f.path for f in warehouse.files(product.dataset, product.snapshot_id)} != {
        f.path for f in product.files
    }:
        raise IntegrityError("door.other_files", dataset=product.dataset, snapshot=product.snapshot_id)


def _verify(objects: ObjectStore, file: DataFile, dataset: str) -> None:
    path = objects.location_of(file.path).removeprefix("file://")
    try:
        found = objects.digest(file.path)
    except FileNotFoundError as error:
        raise IntegrityError("door.file_missing", dataset=dataset, path=path) from error
    except OSError as error:
        raise IntegrityError("door.file_unreadable", dataset=dataset, path=path, error=error.strerror) from error
    if found != file.sha256:
        raise IntegrityError("door.file_altered", dataset=dataset, path=path, wanted=file.sha256[:16], found=found[:16])
