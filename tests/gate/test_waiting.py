"""The inbox: what only people can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ecluse.gate import Book, waiting
from tests.gate.world import START, World, key


def kinds(world, now):
    parties = {key(p.id): p.id for p in world.charter.parties}
    book = Book(world.charter, world.facts, parties, "flights", "demo")
    return [one.kind for one in waiting(world.charter, book, now)]


@pytest.mark.parametrize(("days", "told"), [(100, False), (160, True), (200, True)])
def test_a_charter_that_was_never_reviewed_is_to_be_reviewed_in_the_time_from_its_first_fact(days, told):
    world = World.open()
    assert ("review" in kinds(world, START + timedelta(days=days))) is told
    world.charter = replace(world.charter, reviewed=date(2026, 12, 1))
    assert "review" not in kinds(world, START + timedelta(days=days))
