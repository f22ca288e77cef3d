"""The ancestors of a step's inputs, each followed at the version that was read, back to the sources."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ecluse.model.facts import SignedFact
from ecluse.step.closure import publications_by_dataset, standing_at
from ecluse.step.latest import latest_publications
from ecluse.step.services import Services
from ecluse.step.state import State


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
        if published and published[-1]["snapshot_id"] == snapshot:
            for publication in published:
                yield from publication["inputs"]
        else:
            for signed in standing_at(self._history.get(dataset, ()), snapshot):
                yield from signed.fact.predicate.get("inputs") or ()

    @cached_property
    def _history(self) -> dict[str, list[SignedFact]]:
        # NOTE: read once, and only where something stands on what has been replaced since.
        return publications_by_dataset(self.services.log.facts("publication"))
