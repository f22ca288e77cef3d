"""Old snapshots that nothing needs any more are forgotten; ``sweep`` then deletes the files that only they held."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRefType
from sqlalchemy import Connection

from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft, is_root
from ecluse.warehouse.sweep import referenced


def expire(
    catalog: Catalog,
    dataset: str,
    keep: Collection[int],
    older_than: timedelta,
    *,
    newest: int = 1,
    within: Callable[[Connection], None] | None = None,
    dry_run: bool = False,
) -> tuple[int, ...]:
    """Forget the snapshots that ``main`` left at least ``older_than`` ago and that nothing needs; their ids.

    Branches, tags, ``keep`` and the ``newest`` that were published need theirs, and a candidate also the one that it
    stands on. The empty snapshot that the table began with stays. ``within`` joins the transaction, once nobody else
    can move the table. With ``dry_run`` nothing is forgotten.
    """
    before = datetime.now(UTC) - older_than

    def build(draft: Draft) -> tuple[int, ...]:
        needed = {*keep, *_named(draft.metadata), *_published(draft.metadata)[-newest:]}
        left = _left(draft.metadata)
        gone = [
            snapshot.snapshot_id
            for snapshot in draft.metadata.snapshots
            if snapshot.snapshot_id not in needed
            and left.get(snapshot.snapshot_id, snapshot.timestamp_ms) < before.timestamp() * 1000
            and not is_root(draft.metadata, snapshot.snapshot_id)
        ]
        if dry_run:
            return tuple(gone)
        if gone:
            _begin_grace(catalog, draft, gone)
        for snapshot_id in gone:
            draft.drop_snapshot(snapshot_id)
        return tuple(gone)

    def confirm(connection: Connection) -> None:
        # NOTE: the table before the log, in the order in which publications take them: neither waits for the other.
        catalog.lock(connection, dataset)
        if within is not None:
            within(connection)

    return build(Draft(catalog.open(dataset))) if dry_run else catalog.commit(dataset, build, within=confirm)


def _named(metadata: TableMetadata) -> set[int]:
    """The snapshots of all branches and tags, and those that candidates stand on."""
    found = {ref.snapshot_id for ref in metadata.refs.values()}
    if metadata.current_snapshot_id is not None:
        found.add(metadata.current_snapshot_id)
    for ref in metadata.refs.values():
        snapshot = metadata.snapshot_by_id(ref.snapshot_id)
        branch = ref.snapshot_ref_type == SnapshotRefType.BRANCH and ref.snapshot_id != metadata.current_snapshot_id
        if branch and snapshot is not None and snapshot.parent_snapshot_id is not None:
            found.add(snapshot.parent_snapshot_id)
    return found


def _published(metadata: TableMetadata) -> list[int]:
    """The snapshots that were published, each once, in the order in which ``main`` last came to them."""
    came = [entry.snapshot_id for entry in metadata.snapshot_log if not is_root(metadata, entry.snapshot_id)]
    return list(reversed(dict.fromkeys(reversed(came))))


def _left(metadata: TableMetadata) -> dict[int, int]:
    """When ``main`` last left a snapshot that was published, in milliseconds since 1970."""
    log = metadata.snapshot_log
    return {entry.snapshot_id: after.timestamp_ms for entry, after in itertools.pairwise(log)}


def _begin_grace(catalog: Catalog, draft: Draft, gone: Collection[int]) -> None:
    """Mark the files that will be without a snapshot as changed now: who began to read them gets the whole grace."""
    table = draft.table
    kept = [snapshot for snapshot in table.metadata.snapshots if snapshot.snapshot_id not in gone]
    after = table.metadata.model_copy(update={"snapshots": kept})
    lost = set(referenced(table)) - set(
        referenced(Table(table.name(), after, table.metadata_location, table.io, table.catalog))
    )
    catalog.objects.touch(catalog.objects.path(location) for location in lost)
