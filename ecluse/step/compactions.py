"""Compactions undone: which files the steps wrote, whatever was put together since.

A compaction changes how rows are cut into files and nothing else, so what was published, what a step has read and
what Dagster calls the data's version are told by the files that the steps wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ecluse.model.canonical import digest
from ecluse.model.release import DataFile
from ecluse.step.services import Services

#: What the publication of a compaction calls its update.
COMPACT = "compact"


def about(dataset: str) -> str:
    """The subject under which all compactions of a dataset are found in the log."""
    return f"{dataset}#compacted"


def as_written(services: Services, dataset: str, hashes: Iterable[str]) -> Counter[str]:
    """The SHA-256 of the files that steps wrote, of which files of a dataset (by SHA-256) hold the rows today."""
    found = Counter(hashes)
    for signed in reversed([*services.log.facts("publication", about(dataset))]):
        for part in _parts(signed.fact.predicate):
            before, after = (Counter(file["sha256"] for file in part[side]) for side in ("from", "into"))
            if after and after <= found:
                found = found - after + before
    return found


def written_content(services: Services, dataset: str, files: Iterable[DataFile]) -> str:
    """SHA-256 over the hashes of the files that steps wrote: a compaction leaves it as it is."""
    return digest(sorted(as_written(services, dataset, (f.sha256 for f in files)).elements()))


def _parts(said: dict[str, Any]) -> list[dict[str, Any]]:
    return list(said["compacted"]) if said.get("update") == COMPACT else []
