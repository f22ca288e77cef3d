"""``ecluse hold``: placed, listed and lifted by people, and heeded by the sweep."""

from __future__ import annotations

import pytest

from tests.step.chain import CLEAN, RAW, Chain

WHY = "The court asked for it."


@pytest.fixture
def shop(tmp_path):
    chain = Chain(tmp_path)
    for rows in ("1,5,a\n2,-1,b\n", "3,5,c\n"):
        chain.make(RAW, rows)
        chain.make(CLEAN)
    chain.close()
    return tmp_path


def test_a_hold_is_placed_listed_heeded_and_lifted(shop, call):
    place = ("hold", "place", "case-17", CLEAN, "--as", "p-law", "--reason", WHY)
    shown = call("--project", shop, *place)
    assert shown.out.startswith(f"case-17: nothing of {CLEAN} is deleted until it is lifted; fact ")
    (hold,) = call("--project", shop, "hold", "list", "--json").json
    assert (hold["name"], hold["dataset"], hold["signer"], hold["reason"]) == ("case-17", CLEAN, "p-law", WHY)
    assert WHY in call("--project", shop, "hold", "list").out
    again = call("--project", shop, *place)
    assert (again.code, "ecluse hold list" in again.err) == (2, True)
    swept = call("--project", shop, "sweep", "--expire", "1h", "--older-than", "1h", "--dry-run")
    assert f"Under a legal hold, and left as it is: {CLEAN}, {CLEAN}__quarantine." in swept.out
    lift = ("hold", "lift", "case-17", "--as", "p-data", "--reason", "The case is closed.")
    assert call("--project", shop, *lift).out.startswith("case-17 is lifted; fact ")
    assert call("--project", shop, "hold", "list").out.strip() == "No hold stands."
    assert call("--project", shop, *lift).code == 2
    assert call("--project", shop, "log", "verify").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("place", "case-1", "clean.nothing", "--as", "p-law", "--reason", WHY), CLEAN),
        (("place", "case-1", CLEAN, "--as", "p-nobody", "--reason", WHY), "p-nobody"),
        (("place", "case-1", CLEAN, "--as", "pipeline", "--reason", WHY), "pipeline"),
        (("place", "case-1", CLEAN, "--as", "p-law", "--reason", " "), "--reason"),
        (("place", "case-1", CLEAN, "--as", "p-law"), "--reason"),
        (("lift", "case-1", "--as", "p-law", "--reason", WHY), "ecluse hold list"),
    ],
)
def test_what_is_no_hold_is_refused(shop, call, arguments, said):
    shown = call("--project", shop, "hold", *arguments)
    assert (shown.code, said in shown.err) == (2, True)
    assert call("--project", shop, "hold", "list", "--json").json == []


def test_who_decides_needs_no_other_key_than_their_own(alone, call):
    place = ("hold", "place", "case-17", "clean.orders", "--as", "p-1d5c", "--reason", WHY)
    placed = call(*alone, *place)
    assert placed.code == 0, placed.err
    assert [hold["signer"] for hold in call(*alone, "hold", "list", "--json").json] == ["p-1d5c"]
    lifted = call(*alone, "hold", "lift", "case-17", "--as", "p-1d5c", "--reason", "The case is closed.")
    assert lifted.code == 0, lifted.err
