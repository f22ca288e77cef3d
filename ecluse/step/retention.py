"""Which snapshots are still needed, and forgetting the others: by age, and by what each contract says of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from ecluse.errors import Conflict
from ecluse.model.contract import Keep
from ecluse.model.facts import SignedFact
from ecluse.model.names import quarantine_name
from ecluse.step.closure import published_closure
from ecluse.step.holds import holds
from ecluse.step.releases import releases
from ecluse.step.rollback import made_of
from ecluse.step.services import Services
from ecluse.warehouse import Warehouse

_TRIES = 8


def needed_snapshots(services: Services) -> dict[str, set[int]]:
    """By dataset, the snapshots that somebody's data rests on, quarantine included.

    That is a release, a legal hold, what is published today, or a candidate that a run may take up. A ``data.lock``
    names a release. What a candidate itself is and stands on, the warehouse keeps.
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
    warehouse = services.warehouse
    told = {signed.fact.predicate["dataset"] for signed in publications} & {*warehouse.datasets()}
    heads = [(dataset, head) for dataset in told if (head := warehouse.head(dataset)) is not None]
    read = [*_read_by_candidates(warehouse)]
    closure = published_closure([*heads, *read], publications)
    for name, snapshot in (*read, *((entry.dataset, entry.snapshot_id) for entry in closure.inputs)):
        found[name].add(snapshot)
    held = held_datasets(services)
    for dataset in held:
        found[dataset] |= {*warehouse.snapshots(dataset)}
    # NOTE: where another engine published, nobody knows what that was made from.
    for dataset in (*held, *closure.unrecorded):
        for name, snapshots in _made_from(publications, dataset).items():
            found[name] |= snapshots
    return dict(found)


def _read_by_candidates(warehouse: Warehouse) -> Iterator[tuple[str, int]]:
    """What candidates were made from, as their steps wrote it down."""
    for dataset in warehouse.datasets():
        for candidate in warehouse.recalled(dataset):
            yield from ((i["dataset"], int(i["snapshot_id"])) for i in candidate.about["inputs"])


def held_datasets(services: Services) -> frozenset[str]:
    """The tables that a legal hold names, each with its quarantine: nothing of them is deleted."""
    named = {dataset for hold in holds(services.log) for dataset in hold.datasets}
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
    stay readable, and so does the way back from what is published to its sources. Nothing is forgotten by what was
    needed a moment ago: where a fact came since, it is asked again.
    """
    wanted = {dataset, quarantine_name(dataset)} if dataset is not None else set(services.warehouse.datasets())
    promised = {name: keep for d, keep in (keeps or {}).items() for name in (d, quarantine_name(d))}
    asked = _Asked(services)
    found: dict[str, tuple[int, ...]] = {}
    for name in services.warehouse.datasets():
        keep = promised.get(name)
        if name not in wanted or (older_than is None and keep is None):
            continue
        age = max(older_than or timedelta(0), keep.age if keep else timedelta(0))
        newest = (keep.versions if keep else None) or 1
        found[name] = asked.forget(name, age, newest, dry_run=dry_run)
    return {name: gone for name, gone in found.items() if gone}


class _Asked:
    """What is needed, as a log of so many facts says."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ask()

    def _ask(self) -> None:
        self._size = self._services.log.size
        self._needed = needed_snapshots(self._services)

    def _confirm(self, connection: Connection) -> None:
        """``_Grown`` where a hold, a release or a publication may have come since."""
        if not self._services.log.stands_at(connection, self._size):
            raise _Grown

    def forget(self, dataset: str, age: timedelta, newest: int, *, dry_run: bool) -> tuple[int, ...]:
        """Forget what is not needed of one table at the moment at which it is forgotten."""
        warehouse = self._services.warehouse
        for _ in range(_TRIES):
            keep = self._needed.get(dataset, set())
            try:
                return warehouse.expire(dataset, keep, age, newest=newest, within=self._confirm, dry_run=dry_run)
            except _Grown:
                self._ask()
        raise Conflict("warehouse.busy", dataset=dataset, tries=_TRIES)


class _Grown(Conflict):
    """A fact came while something was about to be forgotten."""

    def __init__(self) -> None:
        super().__init__("warehouse.busy", dataset="-", tries=1)


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
