"""How rows leave quarantine: corrected, released as they are, or dropped for good; each a person's signed decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ecluse.model.facts import SignedFact

Move = Literal["fixed", "released", "dropped"]

#: The question that these decisions answer; a ``Move`` is the answer.
QUESTION = "quarantine"


@dataclass(frozen=True)
class Waiver:
    """Rows that were released: by their origin, the checks that they broke then and are waived from.

    A waiver is for these checks alone: a row that breaks another one is as broken as any.
    """

    dataset: str
    rows: Mapping[str, frozenset[str]]
    reason: str
    at: datetime
    key_ids: frozenset[str]
    position: int


def leavings(facts: Iterable[SignedFact], dataset: str) -> list[SignedFact]:
    """The decisions by which rows of a dataset left quarantine, oldest first."""
    return [
        signed
        for signed in facts
        if signed.fact.kind == "decision"
        and signed.fact.predicate.get("question") == QUESTION
        and signed.fact.predicate.get("dataset") == dataset
    ]


def waivers(facts: Iterable[SignedFact], dataset: str) -> tuple[Waiver, ...]:
    """The waivers of a dataset's released rows, oldest first."""
    found = []
    for signed in leavings(facts, dataset):
        said = signed.fact.predicate
        if said["verdict"] == "released":
            rows = {origin: frozenset(part["checks"]) for part in said["waived"] for origin in part["origins"]}
            found.append(Waiver(dataset, rows, str(said["reason"]), signed.fact.at, signed.key_ids, signed.position))
    return tuple(found)


def by_checks(broke: Mapping[str, frozenset[str]]) -> list[dict[str, Any]]:
    """Origins with the checks that they broke, as a decision says it: one entry for each set of checks."""
    found: dict[tuple[str, ...], list[str]] = {}
    for origin, checks in sorted(broke.items()):
        found.setdefault(tuple(sorted(checks)), []).append(origin)
    return [{"checks": list(checks), "origins": origins} for checks, origins in sorted(found.items())]
