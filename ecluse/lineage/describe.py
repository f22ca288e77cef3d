"""What an event says, as plain data: the run, its parent, the datasets that it read and wrote.

None of these holds a secret or a value of a row: definitions, versions, counts and digests only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecluse.lineage.namespaces import file_name, project_namespace
from ecluse.model.contract import Contract
from ecluse.model.lineage import ColumnLineage

JobType = Literal["ASSET", "SOURCE", "CHECK", "GATE", "READ", "QUARANTINE", "ROLLBACK"]
Change = Literal["CREATE", "OVERWRITE", "ALTER", "DROP", "TRUNCATE"]


@dataclass(frozen=True)
class Parent:
    """The run that started this one, as a rule Dagster's; ``run_id`` is a UUID."""

    run_id: str
    job: str


@dataclass(frozen=True)
class RunInfo:
    """One run of one job: a materialisation, a check, a gate decision or a read.

    ``run_id`` is a UUID (``namespaces.run_uuid``); ``job`` is the dataset's name for a materialisation.
    ``parameters`` shows what the run was asked for (update, attempt, purpose): text, no secrets.
    """

    run_id: str
    job: str
    project: str
    environment: str
    job_type: JobType = "ASSET"
    parent: Parent | None = None
    partition: str | None = None
    sql: str | None = None
    description: str = ""
    owner: str = ""
    code_version: str = ""
    engine: tuple[str, str] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The namespace of the job, its parent and the project's datasets."""
        return project_namespace(self.project, self.environment)


@dataclass(frozen=True)
class DatasetInfo:
    """One dataset of a run. What isn't known stays empty and is left out of the event.

    ``name`` is a dataset of the project, or with ``is_file`` the origin of something collected. ``version`` is the
    snapshot id as text, or the SHA-256 of a file. ``rows``, ``bytes`` and ``files`` count what this run read or wrote.
    """

    name: str
    is_file: bool = False
    version: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    classifications: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    bytes: int | None = None
    files: int | None = None
    storage: tuple[str, str] | None = ("iceberg", "parquet")
    description: str = ""
    owner: str = ""
    licence: str = ""
    legal_basis: str = ""
    change: Change | None = None
    lineage: ColumnLineage | None = None

    @classmethod
    def of_contract(cls, name: str, contract: Contract, **more: object) -> DatasetInfo:
        """A dataset of the project with what its contract says; ``more`` sets the other fields."""
        said = {
            "columns": {c.name: c.type for c in contract.columns},
            "descriptions": {c.name: c.description for c in contract.columns if c.description},
            "classifications": {c.name: c.classification.value for c in contract.columns},
            "description": contract.description,
            "owner": contract.owner,
            "licence": contract.licence,
            "legal_basis": contract.legal_basis or "",
        }
        return cls(name=name, **{**said, **more})  # type: ignore[arg-type]

    @classmethod
    def of_file(
        cls,
        origin: str,
        sha256: str,
        bytes: int,
        *,
        format: str = "",
        columns: Mapping[str, str] | None = None,
        licence: str = "",
    ) -> DatasetInfo:
        """A file that was collected; its hash is its version."""
        return cls(
            name=origin,
            is_file=True,
            version=f"sha256:{sha256.removeprefix('sha256:')}",
            columns=columns or {},
            bytes=bytes,
            files=1,
            storage=("file", format),
            licence=licence,
        )

    def identity(self, namespace: str) -> tuple[str, str]:
        """OpenLineage's namespace and name, where ``namespace`` is the project's."""
        return file_name(self.name) if self.is_file else (namespace, self.name)
