"""The way out of a refusal: each kind of reason has one, with its names filled in, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from string import Formatter

import pytest

from ecluse.cli.gate_table import step_of
from ecluse.cli.ways import WAYS, Asked, way_out, ways_out
from ecluse.gate import Book, JudgedCriterion, plan
from ecluse.gate.measured import Measured
from ecluse.model.charter import MEASURES, Approval, Criterion, Gate, Kill, Kpi, Rule, Training
from ecluse.texts import LANGUAGES, catalogue, entry, set_language
from tests.gate.world import CHARTER, MANIFEST, PRODUCT, World, decision, key, kpi, report

REASONS = catalogue("en", "gate")["reasons"]


def asked_of(world):
    parties = {key(p.id): p.id for p in world.charter.parties}
    book = Book(world.charter, world.facts, parties, "flights", "demo")
    plans = {phase: plan(phase, world.manifest, world.charter, book, world.now) for phase in world.charter.phases}
    request = world.request
    said = (PRODUCT, request.version or "–", request.purpose, request.phase, request.reader, "local")
    return Asked(world.charter, *said, plans)


def ways(world):
    return ways_out(world.judge().reasons, asked_of(world))


def names(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_kind_of_reason_has_a_way_out():
    assert WAYS.keys() == REASONS.keys()


@pytest.mark.parametrize("measure", [*MEASURES, "kpi.auc"])
def test_every_measure_that_a_criterion_may_name_has_a_way_out(measure):
    unmet = JudgedCriterion(Criterion("c", measure, "==", 0), Measured(None), met=False)
    assert step_of(unmet, MANIFEST, CHARTER).startswith("Try: ")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(REASONS))
def test_what_fills_in_a_way_is_known_of_its_reason(reason, lang):
    known = names(REASONS[reason])
    given = asked_of(World.open()).fields(World.open().ask(purpose="x").judge().reasons[0]).keys() - {"known"}
    wanted = {
        "CRITERION": ("deciding.next.kpi", {"kpi", "version"}),
        "KPI": ("deciding.next.kpi", {"kpi", "version"}),
        "PHASE": ("deciding.next.phase", {"skipped", "dataset"}),
        "QUESTION": ("deciding.next.approval", {"party", "question", "phase", "version", "dataset"}),
    }
    text, filled = wanted.get(WAYS[reason], (f"deciding.next.{WAYS[reason]}", given | known))
    assert names(entry(text, lang)) <= filled


BUSINESS = Gate("business", approvals=(Approval("results-valid", "sponsor"),))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda w: w.without("evidence", about="kpi"), ['Try: ecluse.observe("auc", value']),
        (
            lambda w: sql(w).without("evidence", about="kpi"),
            ["Try: ecluse kpi observe auc --version 1.0.0"],
        ),
        (
            lambda w: w.without("decision", question="data-valid"),
            [f"Try: ecluse approve {PRODUCT} --version 1.0.0 --phase proof --question data-valid --as ana|cleo"],
        ),
        (lambda w: w.add(report("broken")), ["Try: ecluse check products.delays", "then ecluse run +products.delays"]),
        (lambda w: w.ask(purpose="x"), ["with one of delay-prediction, maintenance; or add x under purposes"]),
        (lambda w: w.ask(reader="guest"), ["Try: a grant of products.delays for delay-prediction to a role of guest"]),
        (lambda w: w.ask(phase="industrial"), ["Try: ecluse plan products.delays --phase industrial; where"]),
        (lambda w: w.ask(environment="prod"), ["--to local, with a profile of the environment demo"]),
        (
            lambda w: w.add(decision(w.charter, "ana", "data-valid", verdict="rejected")),
            ["--question data-valid --as ana --reason"],
        ),
        (
            lambda w: w.add(decision(w.charter, "ana", "", verdict="withdrawn")),
            ["Try: ecluse run +products.delays, then ecluse release create products.delays"],
        ),
    ],
)  # fmt: skip
def test_the_way_out_names_what_is_meant(changed, said):
    found = ways(changed(World.open()))
    assert [part for part in said if not any(part in way for way in found)] == [], found


def sql(world):
    world.charter = replace(
        world.charter, kpis=(Kpi("auc", "AUC", 0.5, 0.7, date(2026, 12, 31), over={"f": PRODUCT}, sql="SELECT 1"),)
    )
    return world


def test_each_misspelt_dataset_of_a_criterion_is_named_once_and_no_command_that_would_not_help():
    asked = Criterion("stale", "suite.stale", "==", 0, datasets=("products.dealys", "product.*"))
    gates = (replace(CHARTER.gates[0], criteria=(asked,)), *CHARTER.gates[1:])
    world = World.open(charter=replace(CHARTER, gates=gates))
    assert [way.partition(" in the datasets of the criterion stale in")[0] for way in ways(world)] == [
        "Try: correct products.dealys",
        "Try: correct product.*",
    ]


def test_a_phase_that_was_skipped_is_made_up_for_by_its_own_approvals():
    gates = (CHARTER.gates[0], BUSINESS, CHARTER.gates[2])
    world = World.open(charter=replace(CHARTER, phase="industrial", gates=gates)).ask(phase="industrial")
    assert world.reasons() == ["phase_skipped"]
    assert ways(world)[0].startswith(
        f"Try: ecluse approve {PRODUCT} --version 1.0.0 --phase business --question results-valid --as cleo --reason"
    )


def test_a_stopped_project_goes_on_by_a_better_observation():
    kill = Kill("hardly better than chance", "auc", "<", 0.6)
    world = World.open(charter=replace(CHARTER, kill_criterion=kill)).add(kpi(0.51))
    assert "Try: release better data, then ecluse kpi observe auc; or another kill_criterion in charter.yaml" in ways(
        world
    )


def test_trainings_and_rules_are_those_of_the_one_who_lacks_them():
    world = World.open()
    parties = tuple(replace(p, responsible="cleo") if p.id == "model" else p for p in world.charter.parties)
    world.charter = replace(
        world.charter,
        parties=parties,
        rules=(Rule("no-people", 1, "look for nobody"),),
        trainings=(Training("privacy", "Data protection", ("model-builder",)),),
    )
    assert ways(world) == [
        "Try: record the training privacy under trained of model in charter.yaml",
        "Try: ecluse acknowledge no-people --as cleo",
    ]


def test_it_is_said_in_the_reader_s_language():
    world = World.open().ask(reader="guest")
    (reason,) = world.judge().reasons
    set_language("fr")
    assert way_out(reason, asked_of(world))[0].startswith(
        "À essayer\u00a0: un droit sur products.delays pour delay-prediction"
    )
