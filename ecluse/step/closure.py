"""What published data was made from, back to its sources, each input at the version that was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ecluse.errors import WarehouseError
from ecluse.model.facts import SignedFact
from ecluse.model.release import Input, Manifest, TableVersion
from ecluse.step.services import Services

#: Data files by path and SHA-256.
_Files = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Closure:
    """The publications that something rests on, sources first, and what has no record of how it came to be."""

    publications: tuple[SignedFact, ...]
    unrecorded: tuple[str, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Every version that these publications read, each once."""
        named = (i for p in self.publications for i in p.fact.predicate.get("inputs") or ())
        found = {Input(i["dataset"], int(i["snapshot_id"]), i["content"]) for i in named}
        return tuple(sorted(found, key=lambda i: (i.dataset, i.content, i.snapshot_id)))

    @property
    def files(self) -> frozenset[tuple[str, str]]:
        """(path, SHA-256) of every data file of these publications."""
        return frozenset((f["path"], f["sha256"]) for p in self.publications for f in _files(p))


def closure_of(manifest: Manifest, dataset: str, facts: Sequence[SignedFact]) -> Closure:
    """Walk from one product of a release back to its sources, each input at the snapshot that was read."""
    return _closure((manifest.product(dataset),), facts)


def release_closure(manifest: Manifest, facts: Sequence[SignedFact]) -> Closure:
    """Walk from every product of a release back to their sources."""
    return _closure(manifest.products, facts)


def _closure(products: Iterable[TableVersion], facts: Sequence[SignedFact]) -> Closure:
    walk = _Walk(facts)
    for product in products:
        walk.visit_files(product.dataset, {(f.path, f.sha256) for f in product.files})
    return walk.closure()


def published_closure(snapshots: Iterable[tuple[str, int]], facts: Sequence[SignedFact]) -> Closure:
    """Walk from snapshots that were published, each with its dataset, back to their sources."""
    walk = _Walk(facts)
    for dataset, snapshot in snapshots:
        walk.visit_snapshot(dataset, str(snapshot), None)
    return walk.closure()


def publications_by_dataset(facts: Iterable[SignedFact]) -> dict[str, list[SignedFact]]:
    """The publications of each dataset, in the log's order."""
    found: dict[str, list[SignedFact]] = defaultdict(list)
    for fact in facts:
        if fact.fact.kind == "publication":
            found[str(fact.fact.predicate.get("dataset"))].append(fact)
    return found


def standing_at(history: Sequence[SignedFact], snapshot: str) -> tuple[SignedFact, ...]:
    """The publications of one dataset that a snapshot of it is made of, oldest first; none where no one knows it."""
    live = _live_at(history, snapshot) or {}
    found = {one.position: one for made in live.values() for one in made}
    return tuple(found[position] for position in sorted(found))


def confirm_known(services: Services, dataset: str, inputs: Iterable[Input], connection: Connection) -> None:
    """``WarehouseError`` where a version that something was made from expired before it could be recorded.

    Asked once the log is this transaction's: what it names from now on is needed, and stays.
    """
    for entry in inputs:
        if entry.snapshot_id not in services.warehouse.snapshots(entry.dataset, connection):
            raise WarehouseError("step.input_expired", dataset=dataset, input=entry.dataset, snapshot=entry.snapshot_id)


class _Walk:
    def __init__(self, facts: Sequence[SignedFact]) -> None:
        self.history = publications_by_dataset(facts)
        self.found: dict[int, SignedFact] = {}
        self.unrecorded: set[str] = set()
        self.waiting: list[SignedFact] = []
        self.asked: set[tuple[str, str, tuple[str, ...] | None]] = set()

    def visit_files(self, dataset: str, wanted: set[tuple[str, str]]) -> None:
        told: set[tuple[str, str]] = set()
        for publication in self.history.get(dataset, ()):
            own = {(f["path"], f["sha256"]) for f in _files(publication)} & wanted
            told |= own
            if publication.fact.predicate.get("update") == "compact":
                for before, after in _compacted(publication):
                    if own & set(after):
                        self.visit_files(dataset, set(before))
            elif own:
                self._add(publication)
        if wanted - told:
            self.unrecorded.add(dataset)

    def closure(self) -> Closure:
        """Follow what was visited to its end."""
        self._run()
        found = sorted(self.found.values(), key=lambda p: p.position)
        return Closure(_sources_first(found), tuple(sorted(self.unrecorded)))

    def _run(self) -> None:
        while self.waiting:
            for one in self.waiting.pop().fact.predicate.get("inputs") or ():
                partitions = one.get("partitions")
                key = (one["dataset"], str(one["snapshot_id"]), None if partitions is None else tuple(partitions))
                if key not in self.asked:
                    self.asked.add(key)
                    self.visit_snapshot(*key)

    def visit_snapshot(self, dataset: str, snapshot: str, partitions: tuple[str, ...] | None) -> None:
        live = _live_at(self.history.get(dataset, ()), snapshot)
        if live is None:
            self.unrecorded.add(dataset)
            return
        for publication in (one for made in live.values() for one in made):
            # NOTE: what was published of no partition may hold rows of any.
            if partitions is None or publication.fact.predicate.get("partition") in (None, *partitions):
                self._add(publication)

    def _add(self, publication: SignedFact) -> None:
        if publication.position not in self.found:
            self.found[publication.position] = publication
            self.waiting.append(publication)


def _live_at(history: Sequence[SignedFact], snapshot: str) -> dict[str, tuple[SignedFact, ...]] | None:
    """The files of a snapshot with the publications that added their rows; ``None`` where no publication made it."""
    live: dict[str, tuple[SignedFact, ...]] = {}
    for place, publication in enumerate(history):
        predicate = publication.fact.predicate
        if predicate.get("update") == "rollback":
            live = _live_at(history[:place], str(predicate.get("snapshot_id"))) or {}
            continue
        made = {path: before for before, after in _compacted(publication) for path, _ in after}
        past = {path: tuple(p for before, _ in files for p in live.get(before, ())) for path, files in made.items()}
        for path in predicate.get("removed") or ():
            live.pop(path, None)
        live |= {f["path"]: past.get(f["path"], (publication,)) for f in _files(publication)}
        if str(predicate.get("snapshot_id")) == snapshot:
            return live
    return None


def _files(publication: SignedFact) -> Iterable[dict[str, Any]]:
    return publication.fact.predicate.get("files") or ()


def _compacted(publication: SignedFact) -> Iterator[tuple[_Files, _Files]]:
    """Which files a compaction put together, and into which: (path, SHA-256) before and after."""
    for part in publication.fact.predicate.get("compacted") or ():
        before, after = (tuple((f["path"], f["sha256"]) for f in part[side]) for side in ("from", "into"))
        yield before, after


def _sources_first(publications: Sequence[SignedFact]) -> tuple[SignedFact, ...]:
    """Datasets in the order in which data flows through them, and each one's parts in the log's order."""
    inputs: dict[str, set[str]] = defaultdict(set)
    for p in publications:
        inputs[p.fact.predicate["dataset"]] |= {i["dataset"] for i in p.fact.predicate.get("inputs") or ()}
    depth: dict[str, int] = {}

    def deep(dataset: str, above: frozenset[str] = frozenset()) -> int:
        if dataset not in depth:
            below = [deep(i, above | {dataset}) for i in inputs[dataset] - above if i in inputs]
            depth[dataset] = 1 + max(below, default=0)
        return depth[dataset]

    for dataset in sorted(inputs):
        deep(dataset)
    return tuple(
        sorted(
            publications, key=lambda p: (depth[p.fact.predicate["dataset"]], p.fact.predicate["dataset"], p.position)
        )
    )
