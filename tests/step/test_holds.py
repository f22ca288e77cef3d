"""Legal holds: people place and lift them, and nothing else ends one."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from ecluse.errors import Conflict, DefinitionError, LedgerError
from ecluse.ledger import sign
from ecluse.model.facts import Subject
from ecluse.model.holds import HELD, LIFTED, QUESTION
from ecluse.step.holds import holds, lift_hold, place_hold
from ecluse.step.releases import create_release, decide
from ecluse.step.retention import held_datasets
from tests.step.chain import CHARTER, CLEAN, RAW, Chain

WHY = "The court asked for it."


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """One shop for all: each test lifts what it placed."""
    found = Chain(tmp_path_factory.mktemp("shop"))
    found.make(RAW, "1,5,a\n2,-1,b\n")
    found.make(CLEAN)
    found.person("p-law"), found.person("p-data")
    yield found
    found.close()


@pytest.fixture
def chain(shop):
    yield shop
    for hold in holds(shop.services.log):
        lift_hold(shop.services, shop.person("p-law"), hold.name, "after the test")


def standing(chain):
    return [hold.name for hold in holds(chain.services.log)]


def stated(chain, party, **said):
    """A decision that states what its writer likes, signed by a key that counts."""
    fact = chain.services.fact("decision", (Subject("hold:x", "0" * 64),), {"question": QUESTION, **said})
    return sign(fact, chain.person(party))


def append(chain, envelope):
    with chain.services.database.transaction() as connection:
        (position,) = chain.services.log.append(connection, [envelope])
    return position


def test_a_hold_stands_until_somebody_lifts_it(chain):
    position = place_hold(chain.services, chain.person("p-law"), "case-17", [CLEAN, CLEAN], WHY)
    (hold,) = holds(chain.services.log)
    assert (hold.name, hold.datasets, hold.reason, hold.position) == ("case-17", (CLEAN,), WHY, position)
    assert hold.key_ids == {chain.person("p-law").key_id}
    assert held_datasets(chain.services) == {CLEAN, f"{CLEAN}__quarantine"}
    lift_hold(chain.services, chain.person("p-data"), "case-17", "The case is closed.")
    assert (standing(chain), held_datasets(chain.services)) == ([], frozenset())


@pytest.mark.parametrize(
    ("name", "datasets", "reason", "kind", "key"),
    [
        ("case-17", ["clean.nothing"], WHY, DefinitionError, "step.hold_dataset"),
        ("case-17", [RAW], "  ", DefinitionError, "step.hold_reason"),
        (" ", [RAW], WHY, DefinitionError, "step.hold_reason"),
        ("case-1", [RAW], WHY, Conflict, "step.hold_stands"),
    ],
)
def test_a_hold_that_can_not_be_meant_is_refused(chain, name, datasets, reason, kind, key):
    place_hold(chain.services, chain.person("p-law"), "case-1", [CLEAN], WHY)
    size = chain.services.log.size
    with pytest.raises(kind) as caught:
        place_hold(chain.services, chain.person("p-law"), name, datasets, reason)
    assert (caught.value.key, chain.services.log.size) == (key, size)


def test_lifting_what_does_not_stand_names_what_does(chain):
    place_hold(chain.services, chain.person("p-law"), "case-1", [CLEAN], WHY)
    with pytest.raises(DefinitionError, match="case-1"):
        lift_hold(chain.services, chain.person("p-law"), "case-2", "over")


def test_a_service_neither_places_nor_lifts_a_hold(chain):
    place_hold(chain.services, chain.person("p-law"), "case-1", [CLEAN], WHY)
    for act in (
        lambda: place_hold(chain.services, chain.services.signer, "case-2", [RAW], WHY),
        lambda: lift_hold(chain.services, chain.services.signer, "case-1", "over"),
    ):
        with pytest.raises(LedgerError):
            act()
    assert standing(chain) == ["case-1"]


def test_a_hold_that_is_placed_again_is_not_ended_by_the_lift_before(chain):
    first = place_hold(chain.services, chain.person("p-law"), "case-17", [CLEAN], WHY)
    lift = stated(chain, "p-law", verdict=LIFTED, hold="case-17", datasets=[CLEAN], reason="over", placed=first)
    append(chain, lift)
    assert standing(chain) == []
    place_hold(chain.services, chain.person("p-law"), "case-17", [CLEAN], "The case is open again.")
    append(chain, lift)
    assert standing(chain) == ["case-17"]


def test_a_lift_from_another_environment_ends_nothing_here(chain):
    position = place_hold(chain.services, chain.person("p-law"), "case-17", [CLEAN], WHY)
    said = {"question": QUESTION, "verdict": LIFTED, "hold": "case-17", "placed": position, "reason": "over"}
    elsewhere = chain.services.fact("decision", (Subject("hold:case-17", "0" * 64),), said)
    elsewhere = type(elsewhere)(**{**vars(elsewhere), "environment": "staging"})
    append(chain, sign(elsewhere, chain.person("p-law")))
    assert standing(chain) == ["case-17"]


def test_two_holds_of_one_name_are_lifted_one_by_one(chain):
    said = {"verdict": HELD, "hold": "case-17", "datasets": [CLEAN], "reason": WHY}
    append(chain, stated(chain, "p-law", **said)), append(chain, stated(chain, "p-data", **said))
    lift_hold(chain.services, chain.person("p-law"), "case-17", "over")
    assert standing(chain) == ["case-17"]
    lift_hold(chain.services, chain.person("p-law"), "case-17", "over")
    assert standing(chain) == []


def test_an_answer_about_a_release_to_a_question_of_that_name_is_no_hold(chain):
    manifest = create_release(chain.services, [CLEAN])
    decide(chain.services, chain.person("p-law"), manifest, "rejected", question=QUESTION, reason="no")
    assert standing(chain) == []


@contextmanager
def without(chain, party):
    """The project after somebody left it: neither the charter nor this machine knows the key any more."""
    trust = chain.services.project.trust
    kept = trust.read_text()
    known = json.loads(kept)
    trust.write_text(json.dumps({**known, "parties": [p for p in known["parties"] if p["id"] != party]}))
    chain.reopen("\n".join(line for line in CHARTER.splitlines() if party not in line))
    try:
        yield
    finally:
        trust.write_text(kept)
        chain.reopen(CHARTER)


def test_who_leaves_the_charter_does_not_take_a_hold_along(chain):
    place_hold(chain.services, chain.person("p-law"), "case-18", [CLEAN], WHY)
    with without(chain, "p-law"):
        (hold,) = (hold for hold in holds(chain.services.log) if hold.name == "case-18")
        assert (hold.datasets, hold.key_ids) == ((CLEAN,), frozenset())
        lift_hold(chain.services, chain.person("p-data"), "case-18", "The case is closed.")
        assert "case-18" not in standing(chain)


def test_a_lift_by_a_key_that_no_longer_counts_ends_nothing(chain):
    place_hold(chain.services, chain.person("p-law"), "case-19", [CLEAN], WHY)
    lift_hold(chain.services, chain.person("p-data"), "case-19", "over")
    with without(chain, "p-data"):
        assert "case-19" in standing(chain)
    assert standing(chain) == []
