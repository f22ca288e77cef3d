"""What was measured of a table's data files before, so that a check costs what changed."""

from __future__ import annotations

from ecluse.model.tablefiles import TableFiles
from ecluse.step.services import Services

#: Below this many rows a scan of the table costs less than looking up what is known of its files.
LEAST_ROWS = 500_000


def table_files(services: Services, dataset: str, snapshot_id: int) -> TableFiles | None:
    """The data files of a snapshot, with the folder that keeps their measures; ``None`` where that doesn't pay."""
    files = services.warehouse.scan_by_file(dataset, snapshot_id)
    found = TableFiles(files, services.project.state / "measures" / dataset)
    return found if found.rows >= LEAST_ROWS else None
