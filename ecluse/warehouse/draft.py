"""The next version of one table, made up in memory from exactly the version it will replace."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import (
    AddSchemaUpdate,
    RemovePropertiesUpdate,
    RemoveSnapshotRefUpdate,
    RemoveSnapshotsUpdate,
    SetCurrentSchemaUpdate,
    SetPropertiesUpdate,
    SetSnapshotRefUpdate,
    TableUpdate,
    _apply_table_update,
    _TableMetadataUpdateContext,
    _update_table_metadata_log,
)
from pyiceberg.table.update.snapshot import _FastAppendFiles, _OverwriteFiles, _SnapshotProducer

from ecluse.errors import StorageError

#: Marks, in a snapshot's summary, the empty one that every table begins with.
ROOT = "ecluse.root"

#: Names, in a snapshot's summary, the candidate's branch that it was made on.
BRANCH = "ecluse.branch"

#: Begins the names, in a snapshot's summary, of what each snapshot hands on to the next.
HANDED_ON = "ecluse.kept."


class Draft:
    """Changes to one table, applied one after the other; ``updates`` is what a commit carries out.

    PyIceberg's own ``Transaction`` commits by itself and retries on whatever it then finds. Here a commit succeeds
    only on the version that the draft was made from, so nothing that was decided from it can have changed.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.metadata: TableMetadata = table.metadata
        self.updates: tuple[TableUpdate, ...] = ()
        self._context = _TableMetadataUpdateContext()
        self._written: list[str] = []

    @property
    def main(self) -> int | None:
        """The snapshot of ``main``, the empty root snapshot included; ``None`` in a table without any."""
        return self.metadata.current_snapshot_id

    def add(self, *updates: TableUpdate) -> None:
        """Carry out updates on the draft."""
        # NOTE: the public update_table_metadata copies every snapshot each time, deeply.
        for update in updates:
            self.metadata = _apply_table_update(update, self.metadata, self._context)
        self.updates += updates

    def add_schema(self, schema: Schema) -> None:
        """Make a schema known to the table without making it the schema of ``main``."""
        if all(known.schema_id != schema.schema_id for known in self.metadata.schemas):
            self.add(AddSchemaUpdate(schema=schema))

    def set_current_schema(self, schema_id: int) -> None:
        """Make a schema the one of ``main``."""
        if self.metadata.current_schema_id != schema_id:
            self.add(SetCurrentSchemaUpdate.model_validate({"schema-id": schema_id}))

    def set_branch(self, name: str, snapshot_id: int) -> None:
        """Let a branch point to a snapshot."""
        self._set_ref(name, SnapshotRefType.BRANCH, snapshot_id)

    def set_tag(self, name: str, snapshot_id: int) -> None:
        """Let a tag point to a snapshot."""
        self._set_ref(name, SnapshotRefType.TAG, snapshot_id)

    def drop_ref(self, name: str) -> None:
        """Forget a branch or tag; its snapshot stays known."""
        self.add(RemoveSnapshotRefUpdate.model_validate({"ref-name": name}))

    def drop_snapshot(self, snapshot_id: int) -> None:
        """Forget a snapshot that no branch or tag needs."""
        self.add(RemoveSnapshotsUpdate.model_validate({"snapshot-ids": [snapshot_id]}))

    def head(self, branch: str) -> int | None:
        """The snapshot that a branch points to; ``None`` where there is no such branch."""
        ref = self.metadata.refs.get(branch)
        return ref.snapshot_id if ref else None

    def set_properties(self, properties: dict[str, str]) -> None:
        """Set the table properties that aren't as given."""
        changed = {k: v for k, v in properties.items() if self.metadata.properties.get(k) != v}
        if changed:
            self.add(SetPropertiesUpdate(updates=changed))

    def drop_property(self, name: str) -> None:
        """Take a table property away, where there is one."""
        if name in self.metadata.properties:
            self.add(RemovePropertiesUpdate(removals=[name]))

    def only_on(self, branch: str, snapshot_id: int) -> bool:
        """Whether a snapshot was made on a branch and nothing else needs it.

        One that ever was on ``main`` stays: it is part of the history, also after a rollback.
        """
        snapshot = self.metadata.snapshot_by_id(snapshot_id)
        return (
            snapshot is not None
            and snapshot.summary is not None
            and snapshot.summary.get(BRANCH) == branch
            and all(entry.snapshot_id != snapshot_id for entry in self.metadata.snapshot_log)
            and all(other.parent_snapshot_id != snapshot_id for other in self.metadata.snapshots)
            and all(ref.snapshot_id != snapshot_id for name, ref in self.metadata.refs.items() if name != branch)
        )

    def handed_on(self, snapshot_id: int) -> dict[str, str]:
        """What the summary of a snapshot hands on to the next one."""
        snapshot = self.metadata.snapshot_by_id(snapshot_id)
        said = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
        return {name: value for name, value in said.items() if name.startswith(HANDED_ON)}

    def root(self) -> None:
        """Give ``main`` its empty first snapshot: no branch can stand on nothing."""
        view = self._view(self.metadata.current_schema_id)
        self._produce(_FastAppendFiles(Operation.APPEND, view, self.table.io, snapshot_properties={ROOT: "true"}))

    def snapshot(
        self,
        branch: str,
        schema_id: int,
        *,
        added: Iterable[DataFile],
        removed: Iterable[DataFile],
        appends: bool,
        summary: dict[str, str],
    ) -> int:
        """Write one snapshot onto a branch, under a schema of its own; its id."""
        view, marked = self._view(schema_id), {**summary, BRANCH: branch}
        producer: _SnapshotProducer[Any]
        if appends:
            producer = _FastAppendFiles(
                Operation.APPEND, view, self.table.io, branch=branch, snapshot_properties=marked
            )
        else:
            producer = _ReplaceFiles(
                Operation.OVERWRITE, view, self.table.io, branch=branch, snapshot_properties=marked
            )
        for file in added:
            producer.append_data_file(file)
        for file in removed:
            producer.delete_data_file(file)
        self._produce(producer)
        return producer.snapshot_id

    def finished(self) -> TableMetadata:
        """The metadata as a commit writes it: with the changes, now, and a note of the file whose place it takes."""
        before, metadata = self.table.metadata, self.metadata
        if self.table.metadata_location:
            metadata = _update_table_metadata_log(metadata, self.table.metadata_location, before.last_updated_ms)
        if metadata.last_updated_ms == before.last_updated_ms:
            metadata = metadata.model_copy(update={"last_updated_ms": time.time_ns() // 1_000_000})
        metadata.spec().check_compatible(metadata.schema())
        metadata.sort_order().check_compatible(metadata.schema())
        return metadata

    def abandon(self) -> None:
        """Delete the manifests that were written for a draft that nobody commits."""
        for location in self._written:
            try:
                self.table.io.delete(location)
            except (OSError, StorageError):
                continue

    def _set_ref(self, name: str, kind: SnapshotRefType, snapshot_id: int) -> None:
        self.add(SetSnapshotRefUpdate.model_validate({"ref-name": name, "type": kind, "snapshot-id": snapshot_id}))

    def _view(self, schema_id: int) -> Transaction:
        """The table as drafted, seen under one of its schemas: snapshots record the current one."""
        table, metadata = self.table, self.metadata.model_copy(update={"current_schema_id": schema_id})
        return _View(Table(table.name(), metadata, table.metadata_location, table.io, table.catalog))

    def _produce(self, producer: _SnapshotProducer[Any]) -> None:
        # NOTE: private to PyIceberg, and the only way to get a snapshot's updates without committing them.
        updates, _ = producer._commit()  # noqa: SLF001
        self._written += [*producer._written_manifests, *producer._written_manifest_lists]  # noqa: SLF001
        self.add(*updates)


class _View(Transaction):
    """What a snapshot is made from. Nothing is ever staged in it, so its metadata needs no copy at each look."""

    @property
    def table_metadata(self) -> TableMetadata:
        return self._table.metadata


class _ReplaceFiles(_OverwriteFiles):
    """An overwrite that doesn't carry along manifests in which no file is left."""

    def _existing_manifests(self) -> list[ManifestFile]:
        return [m for m in super()._existing_manifests() if m.has_added_files() or m.has_existing_files()]


def is_root(metadata: TableMetadata, snapshot_id: int) -> bool:
    """Whether a snapshot is the empty one that a table begins with."""
    snapshot = metadata.snapshot_by_id(snapshot_id)
    return snapshot is not None and snapshot.summary is not None and snapshot.summary.get(ROOT) == "true"
