"""Legal holds: what must not be deleted until somebody lifts the hold, as the decisions in the log say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecluse.model.facts import SignedFact

#: The question that a hold's decisions answer, and their two answers.
QUESTION, HELD, LIFTED = "legal-hold", "held", "lifted"


@dataclass(frozen=True)
class Hold:
    """One hold that stands: its name, the datasets, why, since when, who signed it, and its place in the log."""

    name: str
    datasets: tuple[str, ...]
    reason: str
    since: datetime
    key_ids: frozenset[str]
    position: int


def standing_holds(facts: Iterable[SignedFact]) -> tuple[Hold, ...]:
    """The holds that were placed and not lifted since, in the order in which they were placed."""
    found: dict[str, Hold] = {}
    for signed in facts:
        fact, said = signed.fact, signed.fact.predicate
        if fact.kind != "decision" or said.get("question") != QUESTION:
            continue
        name = str(said["hold"])
        if said["verdict"] == LIFTED:
            found.pop(name, None)
        elif said["verdict"] == HELD:
            found[name] = Hold(
                name, tuple(said["datasets"]), str(said["reason"]), fact.at, signed.key_ids, signed.position
            )
    return tuple(found.values())
