"""Which answers of people open something: those that a gate counts, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ecluse.gate import Book, counting_answers
from tests.gate.world import CHARTER, World, decision, key, kpi


def counting(world):
    book = Book(world.charter, world.facts, {key(p.id): p.id for p in world.charter.parties}, "flights", "demo")
    answers = counting_answers(world.charter, book, world.now)
    return [(f.fact.predicate["verdict"], f.fact.predicate["question"]) for f in world.facts if f.position in answers]


def test_the_approvals_that_fill_the_seats_of_a_gate_count():
    assert counting(World.open()) == [("approved", "data-valid"), ("approved", "results-valid")]


def test_a_waiver_counts_while_its_criterion_is_unmet():
    waiver = decision(CHARTER, "ana", "", verdict="waived", criterion="auc")
    assert ("waived", "") not in counting(World.open().add(waiver))
    assert ("waived", "") in counting(World.open().add(kpi(0.1)).add(waiver))


@pytest.mark.parametrize(
    "changed",
    [
        replace(CHARTER, gates=(replace(CHARTER.gates[0], standing_days=1), *CHARTER.gates[1:])),
        replace(CHARTER, parties=tuple(p for p in CHARTER.parties if p.id not in ("ana", "bob"))),
        replace(CHARTER, parties=tuple(replace(p, roles=()) for p in CHARTER.parties)),
    ],
    ids=["another gate", "nobody is left", "nobody has a role"],
)
def test_nothing_counts_that_the_charter_takes_away(changed):
    world = World.open()
    world.charter = changed
    assert counting(world) == []


def test_what_expired_or_was_said_elsewhere_counts_for_nothing():
    world = World.open()
    world.now += timedelta(days=365)
    assert counting(world) == []
    elsewhere = World.open().without("decision").add(decision(CHARTER, "ana", "data-valid"), environment="dev")
    assert counting(elsewhere) == []
