"""Which publications a release rests on: those of its own files, and of every file that these were made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecluse.model.facts import SignedFact
from ecluse.model.release import Manifest

#: Data files by path and SHA-256.
_Files = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Closure:
    """The publications of a release, sources first, and what has no record of how it came to be."""

    publications: tuple[SignedFact, ...]
    unrecorded: tuple[str, ...]

    @property
    def files(self) -> frozenset[tuple[str, str]]:
        """(path, SHA-256) of every data file of these publications."""
        return frozenset((f["path"], f["sha256"]) for p in self.publications for f in _files(p))


def closure_of(manifest: Manifest, dataset: str, facts: Sequence[SignedFact]) -> Closure:
    """Walk from one product of a release back to its sources, each input at the snapshot that was read."""
    history: dict[str, list[SignedFact]] = defaultdict(list)
    for fact in facts:
        if fact.fact.kind == "publication":
            history[str(fact.fact.predicate.get("dataset"))].append(fact)
    walk = _Walk(history)
    product = manifest.product(dataset)
    walk.visit_files(dataset, {(f.path, f.sha256) for f in product.files})
    walk.run()
    found = sorted(walk.found.values(), key=lambda p: p.position)
    return Closure(_sources_first(found), tuple(sorted(walk.unrecorded)))


class _Walk:
    def __init__(self, history: Mapping[str, list[SignedFact]]) -> None:
        self.history = history
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

    def run(self) -> None:
        while self.waiting:
            for one in self.waiting.pop().fact.predicate.get("inputs") or ():
                partitions = one.get("partitions")
                key = (one["dataset"], str(one["snapshot_id"]), None if partitions is None else tuple(partitions))
                if key not in self.asked:
                    self.asked.add(key)
                    self._visit_snapshot(*key)

    def _visit_snapshot(self, dataset: str, snapshot: str, partitions: tuple[str, ...] | None) -> None:
        live = _live_at(self.history.get(dataset, ()), snapshot)
        if live is None:
            self.unrecorded.add(dataset)
            return
        for publication in (one for made in live.values() for one in made):
            if partitions is None or publication.fact.predicate.get("partition") in partitions:
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
