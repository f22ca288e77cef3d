"""Old snapshots that nothing needs any more are forgotten; ``sweep`` then deletes the files that only they held."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft, is_root
from ecluse.warehouse.sweep import referenced


def expire(catalog: Catalog, dataset: str, keep: Collection[int], older_than: timedelta) -> tuple[int, ...]:
    """Forget the snapshots made before ``older_than`` ago that no branch, tag or ``keep`` names; their ids.

    The empty snapshot that the table began with stays, and so does whatever ``main`` or a candidate stands on.
    """
    before = datetime.now(UTC) - older_than

    def build(draft: Draft) -> tuple[int, ...]:
        gone = [snapshot for snapshot in draft.metadata.snapshots if _unneeded(draft, snapshot, keep, before)]
        if gone:
            _begin_grace(catalog, draft, {snapshot.snapshot_id for snapshot in gone})
        for snapshot in gone:
            draft.drop_snapshot(snapshot.snapshot_id)
        return tuple(snapshot.snapshot_id for snapshot in gone)

    return catalog.commit(dataset, build)


def _unneeded(draft: Draft, snapshot: Snapshot, keep: Collection[int], before: datetime) -> bool:
    named = {ref.snapshot_id for ref in draft.metadata.refs.values()} | {draft.main}
    made = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
    return (
        made < before
        and snapshot.snapshot_id not in named
        and snapshot.snapshot_id not in keep
        and not is_root(draft.metadata, snapshot.snapshot_id)
    )


def _begin_grace(catalog: Catalog, draft: Draft, gone: Collection[int]) -> None:
    """Mark the files that will be without a snapshot as changed now: who began to read them gets the whole grace."""
    table = draft.table
    kept = [snapshot for snapshot in table.metadata.snapshots if snapshot.snapshot_id not in gone]
    after = table.metadata.model_copy(update={"snapshots": kept})
    lost = set(referenced(table)) - set(
        referenced(Table(table.name(), after, table.metadata_location, table.io, table.catalog))
    )
    catalog.objects.touch(catalog.objects.path(location) for location in lost)
