"""The kill criterion: what stops the project, and what doesn't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.model.charter import Kill
from tests.gate.world import AUC, CHARTER, MANIFEST, World, kpi

KILL = Kill("the schedule alone knows as much.", "auc", "<", 0.6)
OTHERS = [replace(MANIFEST, version=version) for version in ("0.8.0", "0.9.0")]


def world(kill=KILL, **changes):
    return World.open(charter=replace(CHARTER, kill_criterion=kill, **changes))


def warned(found):
    return [warning.key for warning in found.judge().warnings]


def test_nothing_opens_while_it_is_met_and_the_reason_says_so():
    found = world().add(kpi(0.55)).judge()
    assert [r.key for r in found.reasons] == ["killed", "unmet_kpi"]
    assert found.reasons[0].facts == (7,)
    for lang, words in (("en", ("0.55", "less than 0.6")), ("fr", ("0,55", "moins de 0,6"))):
        assert all(word in found.reasons[0].text(lang) for word in words)


def test_it_stops_every_other_release_purpose_and_phase_too():
    found = world().add(kpi(0.55, manifest=OTHERS[0]))
    assert found.reasons() == ["killed"]
    assert "killed" in found.ask(purpose="maintenance").reasons()
    assert "killed" in found.ask(release=None, version=None).reasons()


def test_a_newer_good_observation_ends_it():
    assert world().add(kpi(0.55)).add(kpi(0.69)).judge().opens


def test_what_was_never_measured_warns_and_stops_nothing():
    found = world().without("evidence", about="kpi")
    assert "killed" not in found.reasons()
    assert warned(found) == ["kill_unmeasured"]
    assert warned(world()) == []


@pytest.mark.parametrize(
    "observed",
    [
        kpi(0.1, who="ana"),
        kpi(0.1, who="stranger"),
        kpi(0.1, definition="0" * 64),
        kpi(0.1, kpi="other"),
        kpi("0.1"),
    ],
    ids=["who may not attest", "a stranger", "measured otherwise", "another KPI", "no number"],
)
def test_what_is_no_observation_of_it_stops_nothing(observed):
    assert "killed" not in world().add(observed).reasons()


def test_an_observation_in_another_environment_stops_nothing_here():
    assert world().add(kpi(0.1), environment="prod").judge().opens


@pytest.mark.parametrize(("values", "stops"), [((0.5, 0.5), True), ((0.5, 0.69), False), ((0.69, 0.5), False)])
def test_several_releases_in_a_row_are_asked_for(values, stops):
    found = world(replace(KILL, releases=3))
    for manifest, value in zip(OTHERS, values, strict=True):
        found.add(kpi(value, manifest=manifest))
    # NOTE: measured again and again, one release stays one.
    found.add(kpi(0.55)).add(kpi(0.5))
    assert ("killed" in found.reasons()) is stops


def test_it_names_a_kpi_of_the_charter():
    with pytest.raises(ValueError, match="“glory” is not one of the charter's KPIs"):
        replace(CHARTER, kill_criterion=replace(KILL, kpi="glory"))


def test_another_definition_of_the_kpi_forgets_what_was_measured_before():
    other = replace(AUC, over={"rows": "products.delays"}, sql="SELECT avg(late) FROM rows")
    found = world(kpis=(other,)).add(kpi(0.55))
    assert found.reasons() == ["not_computed_kpi", "kpi_otherwise", *found.reasons()[2:]]
    assert "killed" not in found.reasons()
