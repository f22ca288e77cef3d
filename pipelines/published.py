"""What the sensors ask: whether a file that has arrived was collected already."""

import hashlib
from pathlib import Path

from ecluse.step.services import Services


def content(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def collected(services: Services, dataset: str) -> set[str]:
    """SHA-256 of every raw file that what is published of a source was collected from, by the log."""
    newest: dict[str | None, set[str]] = {}
    for found in services.log.facts(kind="publication"):
        predicate = found.fact.predicate
        if predicate["dataset"] == dataset:
            newest[predicate["partition"]] = {raw["sha256"] for raw in predicate["raw"]}
    return set().union(*newest.values())
