"""Which snapshots are still needed, and forgetting the others: by age, and by what each contract says of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from ecluse.model.contract import Keep
from ecluse.model.facts import SignedFact
from ecluse.model.names import quarantine_name
from ecluse.step.closure import ancestors
from ecluse.step.holds import holds
from ecluse.step.releases import releases
from ecluse.step.rollback import made_of
from ecluse.step.services import Services


def needed_snapshots(services: Services) -> dict[str, set[int]]:
    """By dataset, the snapshots that a release, a legal hold or what is published today rests on, quarantine included.

    A ``data.lock`` names a release, so what it needs is among them. What candidates need, the warehouse itself keeps.
    """
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
    for dataset in held_datasets(services):
        found[dataset] |= set(services.warehouse.snapshots(dataset))
        for name, snapshots in _made_from(publications, dataset).items():
            found[name] |= snapshots
    return dict(found)


def held_datasets(services: Services) -> frozenset[str]:
    """The tables that a legal hold names, each with its quarantine: nothing of them is deleted."""
    named = {dataset for hold in holds(services) for dataset in hold.datasets}
    there = services.warehouse.datasets()
    return frozenset(name for dataset in named for name in (dataset, quarantine_name(dataset)) if name in there)


def expire(
    services: Services,
    older_than: timedelta | None,
    dataset: str | None = None,
    *,
    keeps: Mapping[str, Keep] | None = None,
    dry_run: bool = False,
) -> dict[str, tuple[int, ...]]:
    """Forget snapshots of a dataset with its quarantine, or of all, that nothing needs; their ids by dataset.

    A snapshot's age counts from when it stopped being what is published. ``keeps`` holds what contracts say of their
    datasets: nothing is forgotten before that, and with ``older_than=None`` only these datasets lose anything. Releases
    stay readable, and so does the way back from what is published to its sources.
    """
    needed = needed_snapshots(services)
    wanted = {dataset, quarantine_name(dataset)} if dataset is not None else set(services.warehouse.datasets())
    promised = {name: keep for d, keep in (keeps or {}).items() for name in (d, quarantine_name(d))}
    found: dict[str, tuple[int, ...]] = {}
    for name in services.warehouse.datasets():
        keep = promised.get(name)
        if name not in wanted or (older_than is None and keep is None):
            continue
        age = max(older_than or timedelta(0), keep.age if keep else timedelta(0))
        newest = (keep.versions if keep else None) or 1
        gone = services.warehouse.expire(name, needed.get(name, set()), age, newest=newest, dry_run=dry_run)
        found[name] = gone
    return {name: gone for name, gone in found.items() if gone}


def _made_from(publications: Iterable[SignedFact], dataset: str) -> dict[str, set[int]]:
    """Every input, at the snapshot that was read, of all that was ever published of a dataset, back to its sources."""
    read: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    waiting: list[tuple[str, str]] = []
    for signed in publications:
        said = signed.fact.predicate
        made = (said["dataset"], said["snapshot_id"])
        read[made] += [(i["dataset"], i["snapshot_id"]) for i in said["inputs"]]
        # NOTE: a snapshot stands on the ones before it: what they were made from, its rows were.
        if said["previous_snapshot_id"] is not None and said["update"] != "rollback":
            read[made].append((said["dataset"], said["previous_snapshot_id"]))
        if said["dataset"] == dataset:
            waiting.append(made)
    found: dict[str, set[int]] = defaultdict(set)
    seen = set(waiting)
    while waiting:
        for one in read.get(waiting.pop(), ()):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
                found[one[0]].add(int(one[1]))
    return dict(found)
