"""The publications that datasets consist of at this moment, as the index of publications says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select

from ecluse.model.release import Input
from ecluse.model.update import INCREMENTAL
from ecluse.step.services import Services
from ecluse.step.state import State
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


def mixed_ancestors(state: State, services: Services) -> list[tuple[str, int]]:
    """Ancestors that this step would reach at more than one version: a whole dataset read twice at two contents.

    Partitions of one dataset are different content by nature, so only inputs that were read whole are compared.
    """
    reached: dict[str, set[str]] = {}
    whole = [p.as_input() for p in state.inputs if p.partitions is None]
    for found in (*whole, *_whole_inputs(services, (p.dataset for p in state.inputs))):
        reached.setdefault(found.dataset, set()).add(found.content)
    return sorted((dataset, len(contents)) for dataset, contents in reached.items() if len(contents) > 1)


def _whole_inputs(services: Services, datasets: Iterable[str]) -> Iterator[Input]:
    visited: set[str] = set()
    waiting = list(datasets)
    while waiting:
        dataset = waiting.pop()
        if dataset in visited:
            continue
        visited.add(dataset)
        for publication in latest_publications(services, dataset):
            for found in publication["inputs"]:
                waiting.append(found["dataset"])
                if found["partitions"] is None:
                    yield Input(found["dataset"], int(found["snapshot_id"]), found["content"])
