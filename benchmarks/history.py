"""A history for a log: signed publications of about the size that a project writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ecluse.ledger import Log, Signer, sign
from ecluse.model.facts import Fact, Subject

START = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH = 1_000


def publication(number: int, environment: str = "dev") -> Fact:
    """A publication of one file of ``clean.orders``, with the fields that steps write."""
    name = f"clean.orders/data/partition=all/{number}/data_0000.parquet"
    said: dict[str, Any] = {
        "dataset": "clean.orders",
        "partition": None,
        "table_uuid": "5df41881-3aed-3515-88a7-2f4a814cf09e",
        "snapshot_id": str(number + 1),
        "previous_snapshot_id": str(number),
        "update": "append",
        "code_version": f"{number:064x}",
        "accounting": {"computed": 100, "published": 99, "quarantined": 1, "driving": 100, "out": 99},
        "inputs": [{"dataset": "raw.orders", "snapshot_id": str(number), "content": f"{number:064x}"}],
        "files": [{"path": name, "sha256": f"{number:064x}", "rows": 99, "bytes": 4096, "partition": None}],
        "raw": [],
        "columns": [{"name": f"column_{n}", "type": "BIGINT", "classification": "public"} for n in range(8)],
        "licence": "CC0-1.0",
    }
    subjects = (Subject(name, f"{number:064x}"),)
    return Fact("publication", subjects, said, START + timedelta(seconds=number), "bench", environment)


def append_history(log: Log, signer: Signer, count: int, environment: str) -> None:
    """Append so many publications."""
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        signed = [sign(publication(number, environment), signer) for number in numbers]
        with log.database.transaction() as connection:
            log.append(connection, signed)
