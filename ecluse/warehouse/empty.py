"""Tables that were begun and never held a version."""

from __future__ import annotations

import time
from datetime import timedelta

from pyiceberg.table.metadata import TableMetadata

from ecluse.warehouse import leases
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import is_root


def is_empty(metadata: TableMetadata, grace: timedelta = timedelta(0)) -> bool:
    """Whether a table knows no snapshot but its root and no branch or tag but ``main``, untouched for ``grace``."""
    return (
        all(is_root(metadata, snapshot.snapshot_id) for snapshot in metadata.snapshots)
        and len(metadata.refs) <= 1
        and metadata.last_updated_ms / 1000 <= time.time() - grace.total_seconds()
    )


def drop_empty(catalog: Catalog, dataset: str) -> bool:
    """Forget an empty table on which nobody works; whether it is forgotten."""
    table = catalog.open(dataset)
    if not is_empty(table.metadata):
        return False
    with catalog.database.transaction() as connection:
        catalog.lock(connection, dataset)
        if any(lease.dataset == dataset for lease in leases.held(connection)):
            return False
        # NOTE: who begins a candidate moves the table and takes its lease in one transaction: seen here either way.
        return catalog.drop(connection, table)
