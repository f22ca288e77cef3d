"""Which snapshots are still needed, and forgetting the others."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from ecluse.model.names import quarantine_name
from ecluse.step.closure import ancestors
from ecluse.step.releases import releases
from ecluse.step.rollback import made_of
from ecluse.step.services import Services


def needed_snapshots(services: Services) -> dict[str, set[int]]:
    """By dataset, the snapshots that a release or what is published today rests on, quarantine included."""
    found: dict[str, set[int]] = defaultdict(set)
    publications = list(services.log.facts(kind="publication"))
    for _, manifest in releases(services):
        for entry in manifest.inputs:
            found[entry.dataset].add(entry.snapshot_id)
        for product in manifest.products:
            found[product.dataset].add(product.snapshot_id)
            # NOTE: a rollback to the release brings its quarantine back too.
            for signed in made_of(publications, product.dataset, product.snapshot_id):
                held = signed.fact.predicate["quarantine"]["snapshot_id"]
                if held is not None:
                    found[quarantine_name(product.dataset)].add(int(held))
    for dataset in services.warehouse.datasets():
        for entry in ancestors(services, dataset):
            found[entry.dataset].add(entry.snapshot_id)
    return dict(found)


def expire(services: Services, older_than: timedelta, dataset: str | None = None) -> dict[str, tuple[int, ...]]:
    """Forget old snapshots of a dataset with its quarantine, or of all, that nothing needs; their ids by dataset.

    Releases stay readable, and so does the way back from what is published to its sources.
    """
    needed = needed_snapshots(services)
    wanted = {dataset, quarantine_name(dataset)} if dataset is not None else set(services.warehouse.datasets())
    found = {
        name: services.warehouse.expire(name, needed.get(name, set()), older_than)
        for name in services.warehouse.datasets()
        if name in wanted
    }
    return {name: gone for name, gone in found.items() if gone}
