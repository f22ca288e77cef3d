"""Residual risk is what the newest answers of its controls say, and a control that never answered says nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.gate import Book, Residual, residual_risks
from ecluse.model.charter import Risk
from tests.gate.world import CHARTER, PRODUCT, World, key, report

CONTROL = f"{PRODUCT}:values"


def answer(outcome, *, partition=None, name="values", **more):
    check = {"name": name, "outcome": outcome, "severity": "critical", "scope": "batch"}
    return report(checks=[check], partition=partition, **more)


def judged(*answers, controls=(CONTROL,)):
    charter = replace(CHARTER, risks=(Risk("units", "units change", controls, "ana"),))
    world = World(charter=charter)
    for stated in answers:
        world.add(stated)
    trust = {key(party.id): party.id for party in charter.parties}
    (found,) = residual_risks(charter, Book(charter, world.facts, trust, "flights", "demo"))
    return found


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ((), Residual.UNKNOWN),
        ((answer("held"),), Residual.CONTROLLED),
        ((answer("broken"),), Residual.OPEN),
        ((answer("not_computed"),), Residual.UNKNOWN),
        ((answer("broken"), answer("held")), Residual.CONTROLLED),
        ((answer("held"), answer("broken")), Residual.OPEN),
        ((answer("held", partition="a"), answer("broken", partition="b")), Residual.OPEN),
        ((answer("broken", partition="a"), answer("held", partition="b")), Residual.OPEN),
        ((answer("held", name="other"),), Residual.UNKNOWN),
        ((answer("held", who="guest"),), Residual.UNKNOWN),
        ((answer("nonsense"),), Residual.UNKNOWN),
    ],
)
def test_the_newest_answer_of_each_partition_counts(answers, state):
    assert judged(*answers).state is state


@pytest.mark.parametrize(("quarantined", "state"), [(3, Residual.CONTROLLED), (2, Residual.OPEN), (0, Residual.OPEN)])
def test_rows_that_were_held_back_are_no_risk_any_more(quarantined, state):
    check = {"name": "values", "outcome": "broken", "unexpected_count": 3, "quarantined": quarantined}
    assert judged(report(checks=[check])).state is state


def test_a_risk_without_control_says_so():
    assert judged(answer("held"), controls=()).state is Residual.UNCONTROLLED


def test_one_control_that_never_answered_keeps_a_risk_unknown():
    assert judged(answer("held"), controls=(CONTROL, f"{PRODUCT}:other")).state is Residual.UNKNOWN


def test_the_partitions_that_are_wrong_are_named():
    (control,) = judged(answer("broken", partition="b"), answer("held", partition="a")).controls
    assert (control.outcome, control.partitions, control.fact) == ("broken", ("b",), 1)
