"""Legal holds: what must not be deleted until somebody lifts the hold, as the decisions in the log say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecluse.model.facts import Fact, SignedFact

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


def standing_holds(decisions: Iterable[SignedFact]) -> tuple[Hold, ...]:
    """The holds that were placed and not lifted since, in the order in which they were placed.

    ``decisions`` are all of the log, also those that no key signed which counts any more: who placed a hold and left
    does not take it along. Lifting it needs a key that counts, and ends that one hold: a lift names its place in the
    log, so that none can be used again for a later one.
    """
    placed: dict[int, tuple[Fact, Hold]] = {}
    for signed in decisions:
        fact, said = signed.fact, signed.fact.predicate
        if said.get("question") != QUESTION:
            continue
        if said["verdict"] == HELD:
            datasets = tuple(said["datasets"])
            hold = Hold(said["hold"], datasets, said["reason"], fact.at, signed.key_ids, signed.position)
            placed[signed.position] = fact, hold
        elif said["verdict"] == LIFTED and signed.key_ids and said["placed"] in placed:
            before, _ = placed[said["placed"]]
            if (fact.project, fact.environment) == (before.project, before.environment):
                del placed[said["placed"]]
    return tuple(hold for _, hold in placed.values())
