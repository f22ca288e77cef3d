"""What a release is: an immutable manifest of files by hash, with the pinned closure of their inputs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from ecluse.model.canonical import digest, digest_of_json, plain


@dataclass(frozen=True, order=True)
class DataFile:
    """One data file of a snapshot: path relative to the warehouse's root, SHA-256, rows, bytes, partition folder."""

    path: str
    sha256: str
    rows: int
    bytes: int
    partition: str | None = None


@dataclass(frozen=True)
class TableVersion:
    """One table at one snapshot, with the files it consists of and the definitions it was checked by.

    ``columns`` are its names and DuckDB types, in order; ``code_versions`` the digests of the code that made its files,
    sorted. Releases that were made before these were stated have none.
    """

    dataset: str
    table_uuid: str
    snapshot_id: int
    files: tuple[DataFile, ...]
    contract_digest: str
    suite_digest: str
    columns: tuple[tuple[str, str], ...] = ()
    code_versions: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """SHA-256 over the files' hashes: the same content has the same digest, wherever it lies."""
        return content_digest(self.files)

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(f.rows for f in self.files)


@dataclass(frozen=True)
class Input:
    """A dataset that a release was made from, at the snapshot that was read."""

    dataset: str
    snapshot_id: int
    content: str


@dataclass(frozen=True)
class Manifest:
    """An immutable, content-addressed release of one or more products."""

    version: str
    products: tuple[TableVersion, ...]
    inputs: tuple[Input, ...]
    producer: str
    project: str
    environment: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest's canonical JSON: the name by which people approve it."""
        return digest_of_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The manifest as a JSON object. Snapshot ids are text: JSON numbers lose digits above 2^53."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {
            "products": [_product(product) for product in self.products],
            "inputs": [{**vars(one), "snapshot_id": str(one.snapshot_id)} for one in self.inputs],
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Manifest:
        """The manifest that ``to_json`` wrote."""
        return cls(
            version=found["version"],
            products=tuple(
                TableVersion(
                    **{
                        **p,
                        "snapshot_id": int(p["snapshot_id"]),
                        "files": tuple(DataFile(**f) for f in p["files"]),
                        "columns": tuple((name, kind) for name, kind in p.get("columns", ())),
                        "code_versions": tuple(p.get("code_versions", ())),
                    }
                )
                for p in found["products"]
            ),
            inputs=tuple(Input(**{**i, "snapshot_id": int(i["snapshot_id"])}) for i in found["inputs"]),
            producer=found["producer"],
            project=found["project"],
            environment=found["environment"],
        )

    def product(self, dataset: str) -> TableVersion:
        """The product of that name; ``KeyError`` where the release holds none."""
        for product in self.products:
            if product.dataset == dataset:
                return product
        raise KeyError(dataset)


def _product(product: TableVersion) -> dict[str, Any]:
    """A product as a JSON object. Written out, because a verdict reads many manifests to compare their digests."""
    columns, versions = [list(column) for column in product.columns], list(product.code_versions)
    # NOTE: left out where nothing was stated, so that older manifests keep the digest that people approved.
    stated = {name: value for name, value in (("columns", columns), ("code_versions", versions)) if value}
    files = [dict(vars(file)) for file in product.files]
    kept = {name: value for name, value in vars(product).items() if name not in ("columns", "code_versions")}
    return {**kept, "snapshot_id": str(product.snapshot_id), "files": files, **stated}


@dataclass(frozen=True)
class PromotedFrom:
    """The release of another environment that a promoted one holds.

    ``manifest`` is the digest of that release's manifest. ``facts`` and ``root`` are the size and the Merkle root of
    the log that was verified before, ``approvals`` the positions in it of the decisions that let it go on. ``inputs``
    are the names of the datasets that it was made from there.
    """

    project: str
    environment: str
    manifest: str
    facts: int
    root: str
    approvals: tuple[int, ...] = ()
    inputs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The origin as a JSON object."""
        found: dict[str, Any] = plain(self)
        return found

    @classmethod
    def of(cls, release: dict[str, Any]) -> PromotedFrom | None:
        """What the fact of a release says of its origin; ``None`` for one that was made where it stands."""
        found = release.get("promoted_from")
        if not found:
            return None
        return cls(**{**found, "approvals": tuple(found["approvals"]), "inputs": tuple(found.get("inputs", ()))})


def content_digest(files: tuple[DataFile, ...]) -> str:
    """SHA-256 over the sorted hashes of ``files``."""
    return digest(sorted(f.sha256 for f in files))
