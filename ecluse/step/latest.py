"""The publications that datasets consist of at this moment, as the index of publications says."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from ecluse.model.update import INCREMENTAL
from ecluse.step.services import Services
from ecluse.store.schema import publications


def latest_publications(services: Services, dataset: str) -> list[dict[str, Any]]:
    """The publications that a dataset consists of: the newest of each partition, and what only added to it."""
    query = select(publications.c.partition, publications.c.result).where(publications.c.dataset == dataset)
    with services.database.reading() as connection:
        rows = connection.execute(query.order_by(publications.c.at)).all()
    found: dict[str | None, list[dict[str, Any]]] = {}
    for partition, text in rows:
        result = json.loads(text)
        if partition is None and result.get("update") == "replace":
            found.clear()
        before = found.pop(partition, []) if result.get("update") in INCREMENTAL else []
        found.pop(partition, None)
        found[partition] = [*before, result]
    return [result for results in found.values() for result in results]
