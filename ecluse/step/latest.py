"""The publications that datasets consist of at this moment, as the index of publications says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import select

from ecluse.model.facts import SignedFact
from ecluse.model.update import INCREMENTAL
from ecluse.step.closure import publications_by_dataset, standing_at
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

    Each is followed at the version that was read, back to the sources. Partitions of one dataset are different content
    by nature, so only inputs that were read whole are compared.
    """
    reached: dict[str, set[str]] = {}
    visited: set[tuple[str, str]] = set()
    waiting = [(p.dataset, str(p.snapshot_id)) for p in state.inputs]
    whole = [(p.dataset, p.content) for p in state.inputs if p.partitions is None]
    made = _Made(services)
    while waiting:
        version = waiting.pop()
        if version in visited:
            continue
        visited.add(version)
        for found in made.inputs(*version):
            waiting.append((found["dataset"], str(found["snapshot_id"])))
            if found["partitions"] is None:
                whole.append((found["dataset"], found["content"]))
    for dataset, content in whole:
        reached.setdefault(dataset, set()).add(content)
    return sorted((dataset, len(contents)) for dataset, contents in reached.items() if len(contents) > 1)


class _Made:
    """What versions of datasets were made from: as the index says where it speaks of that version, else the log."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def inputs(self, dataset: str, snapshot: str) -> Iterator[dict[str, Any]]:
        published = latest_publications(self.services, dataset)
        if any(p["snapshot_id"] == snapshot for p in published[-1:]):
            for publication in published:
                yield from publication["inputs"]
        else:
            for signed in standing_at(self._history.get(dataset, ()), snapshot):
                yield from signed.fact.predicate.get("inputs") or ()

    @cached_property
    def _history(self) -> dict[str, list[SignedFact]]:
        # NOTE: read once, and only where something stands on what has been replaced since.
        return publications_by_dataset(self.services.log.facts("publication"))
