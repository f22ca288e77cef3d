"""What a change of the charter is, and which gates it turns into others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.model.charter import Approval, Charter, Criterion, Gate, Grant, Party, Purpose, Role
from ecluse.model.charterdiff import Change, charter_diff

PHASES = ("trial", "live")
CHARTER = Charter(
    project="shop",
    problem="Which orders come back?",
    phase="trial",
    phases=PHASES,
    purposes=(Purpose("returns", "predict returns"),),
    gates=tuple(
        Gate(phase, (Criterion("checks", "checks.broken", "==", 0),), (Approval("data-valid", "steward"),))
        for phase in PHASES
    ),
    parties=(Party("ana", (Role("steward", date(2026, 1, 1)),)),),
    grants=(Grant("builder", ("products.*",), ("returns",), {"public": "clear"}),),
)
TIGHTER = Gate("live", (Criterion("checks", "checks.broken", "==", 0),), (Approval("data-valid", "steward", 2),))
TRAINEE = Party("trainee", (Role("steward", date(2026, 6, 1)),))


def test_a_charter_does_not_differ_from_itself():
    found = charter_diff(CHARTER, CHARTER)
    assert (found.changes, found.gates) == ((), ())


def test_tightening_one_gate_makes_that_gate_another_and_no_other():
    found = charter_diff(CHARTER, replace(CHARTER, gates=(CHARTER.gates[0], TIGHTER)))
    assert found.gates == ("live",)
    assert found.changes == (Change("gates", "live", "changed", ("approvals",)),)


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (replace(CHARTER, parties=(*CHARTER.parties, TRAINEE)), Change("parties", "trainee", "added")),
        (replace(CHARTER, grants=()), Change("grants", "builder: products.* (returns)", "removed")),
        (replace(CHARTER, problem="Which orders are late?"), Change("problem", "", "changed")),
    ],
    ids=["a trainee", "a grant", "the problem"],
)
def test_what_no_approval_binds_changes_no_gate(after, change):
    found = charter_diff(CHARTER, after)
    assert found.gates == ()
    assert found.changes == (change,)


@pytest.mark.parametrize("first", [True, False])
def test_a_grant_that_says_the_same_in_another_way_is_seen(first):
    (one,) = CHARTER.grants
    wider = replace(one, columns={"public": "clear", "sensitive": "clear"})
    found = charter_diff(CHARTER, replace(CHARTER, grants=(wider, one) if first else (one, wider))).changes
    assert [change.name for change in found if change.what == "added"] == ["builder: products.* (returns) #2"]
    assert len(found) == 1 + first


def test_a_new_purpose_changes_every_gate():
    wider = replace(CHARTER, purposes=(*CHARTER.purposes, Purpose("advertising", "sell more")))
    assert charter_diff(CHARTER, wider).gates == PHASES


@given(before=st.lists(st.sampled_from("abcd"), unique=True), after=st.lists(st.sampled_from("abcd"), unique=True))
def test_back_and_forth_undo_each_other(before, after):
    one, other = (replace(CHARTER, parties=tuple(Party(id) for id in ids)) for ids in (before, after))
    there, back = charter_diff(one, other).changes, charter_diff(other, one).changes
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(c.name, opposite[c.what]) for c in there} == {(c.name, c.what) for c in back}
    assert {c.name for c in there} == set(before) ^ set(after)
