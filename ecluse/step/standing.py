"""The version of what is published, by the partitions that a dataset's runs know: what Dagster calls data version."""

from __future__ import annotations

from collections import defaultdict

from ecluse.model.canonical import digest
from ecluse.step.compactions import as_written
from ecluse.step.services import Services


def versions(services: Services, dataset: str, snapshot_id: int) -> dict[str | None, str]:
    """By partition (``None`` for a dataset whose runs have none), the digest of the files that steps wrote.

    A compaction leaves it as it is.
    """
    parted = any(
        signed.fact.predicate["partition"] is not None
        for signed in services.log.facts("publication")
        if signed.fact.predicate["dataset"] == dataset
    )
    found: dict[str | None, list[str]] = defaultdict(list)
    for file in services.warehouse.files(dataset, snapshot_id):
        found[file.partition if parted else None].append(file.sha256)
    return {
        partition: digest(sorted(as_written(services, dataset, hashes).elements()))
        for partition, hashes in sorted(found.items(), key=lambda item: item[0] or "")
    }
