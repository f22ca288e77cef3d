"""``approve``, ``reject``, ``waive``, ``withdraw``, ``waiting``, ``plan``, ``people``: what is signed is shown first."""

from __future__ import annotations

import io
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.charterfile import load_charter
from ecluse.ledger import Log, sign, trust_of
from ecluse.model.facts import Subject
from ecluse.project import Project
from ecluse.step.services import open_services
from ecluse.store import Database
from tests.cli.conftest import change

NAME = "clean.orders"
UNTIL = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
YES = ("approve", NAME, "--question", "data-valid", "--as", "p-1d5c", "--reason", "counted", "--until", UNTIL)


def decisions(at):
    project = Project.find(at[1])
    database = Database(project.database_url)
    try:
        facts = Log(database, trust_of(load_charter(project), project)).facts("decision")
        return [fact.fact.predicate for fact in facts]
    finally:
        database.close()


@pytest.mark.parametrize("answered", ["", "n\n"])
def test_without_a_yes_nothing_is_signed_and_it_says_so(at, call, monkeypatch, answered):
    monkeypatch.setattr("sys.stdin", io.StringIO(answered))
    shown = call(*at, *YES)
    assert (shown.code, decisions(at)) == (1, [])
    assert "nothing was done" in shown.err
    assert "--yes" in shown.err


def test_what_is_signed_is_shown_before_it_is_signed(at, call, monkeypatch):
    monkeypatch.setattr("click.prompt", lambda *_, **__: "n")
    shown = call(*at, *YES)
    assert shown.code == 1
    assert decisions(at) == []
    for said in (
        f"{NAME}@1.0.0, manifest",
        "gate ",
        "Few rows were held back",
        "Held back, here or on the way here",
        "column_values_to_be_between__amount",
        "There is no release of these products before it.",
        f"ecluse report {NAME} --version 1.0.0",
    ):
        assert said in shown.out
    assert f"p-1d5c says yes to “data-valid” in the phase proof-of-concept, until {UNTIL}." in shown.err


def test_what_comes_in_while_somebody_makes_up_their_mind_was_not_seen(at, call, monkeypatch):
    def answer(*_, **__):
        with closing(open_services(Project.find(at[1]))) as services:
            sizes.append(services.log.size)
            fact = services.fact("read", (Subject("x", "0" * 64),), {"datasets": []})
            with services.database.transaction() as connection:
                services.log.append(connection, [sign(fact, services.signer)])
        return "y"

    sizes = []
    monkeypatch.setattr("click.prompt", answer)
    assert call(*at, *YES).code == 0
    assert [decision["seen"] for decision in decisions(at)] == sizes


def test_an_approval_opens_and_says_so(at, call):
    done = call(*at, *YES, "--yes")
    assert done.code == 0
    assert "meets everything that the gate of proof-of-concept asks for" in done.out
    assert decisions(at)[0]["reason"] == "counted"
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 0


def test_a_machine_gets_json_alone(at, call):
    done = call(*at, *YES, "--yes", "--json")
    assert (done.json["verdict"], done.json["met"], done.json["version"]) == ("approved", True, "1.0.0")
    assert done.json["held"] == [{"dataset": NAME, "check": "column_values_to_be_between__amount", "rows": 1}]
    assert f"{NAME}@1.0.0, manifest" in done.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--as": "s-reader"}, "did not have the role"),
        ({"--as": "s-pipeline"}, "nobody approves their own work"),
        ({"--as": "nobody"}, "nobody"),
        ({"--until": "2020-01-01"}, "expired"),
        ({"--question": "data-pretty"}, "Allowed: what its gate asks: data-valid."),
        ({"--phase": "holiday"}, "Allowed: the phases of charter.yaml: proof-of-concept."),
        ({"--version": "9.9.9"}, "there is none"),
        ({"--standing": None}, "at most 0 day(s)"),
    ],
)
def test_an_answer_that_would_not_count_is_not_signed(at, call, changed, said):
    given = [*YES, "--yes"]
    for option, value in changed.items():
        given = [*given, *(word for word in (option, value) if word is not None)]
    done = call(*at, *given)
    assert (done.code, said in done.err) == (2, True), done.err
    assert decisions(at) == []


@pytest.mark.parametrize(
    ("changed", "said"), [({"--until": "2020-01-01"}, "expired"), ({"--as": "s-reader"}, "did not have the role")]
)
def test_nor_is_one_where_enough_people_said_yes_already(at, call, changed, said):
    assert call(*at, *YES, "--yes").code == 0
    before = decisions(at)
    done = call(*at, *YES, "--yes", *(word for option in changed.items() for word in option))
    assert (done.code, said in done.err) == (2, True), done.err
    assert decisions(at) == before


@pytest.mark.parametrize(
    "decision",
    [YES, ("reject", NAME, "--question", "data-valid", "--as", "p-1d5c"), ("withdraw", NAME, "--as", "p-1d5c")],
    ids=["approve", "reject", "withdraw"],
)
def test_a_decision_says_why(at, call, decision):
    done = call(*at, *decision, "--reason", " ", "--yes")
    assert (done.code, "without a reason" in done.err) == (2, True)
    assert decisions(at) == []


def test_nobody_says_no_to_what_nobody_asks(at, call):
    """No yes could ever take it back."""
    done = call(*at, "reject", NAME, "--question", "data-vlid", "--as", "p-1d5c", "--reason", "a week lacks", "--yes")
    assert (done.code, "Allowed: what its gate asks: data-valid." in done.err) == (2, True)
    assert decisions(at) == []


def test_who_only_may_stop_a_release_can_let_it_go_on(at, call):
    change(at, "parties:\n", "parties:\n  - {id: p-guest}\n")
    asked = ("--question", "data-valid", "--as", "p-guest", "--reason", "March", "--yes")
    assert call(*at, *YES, "--yes").code == 0
    assert call(*at, "reject", NAME, *asked).code == 0
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 3
    assert "expired" in call(*at, "approve", NAME, *asked, "--until", "2020-01-01").err
    assert call(*at, "approve", NAME, *asked, "--until", UNTIL).code == 0
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 0
    assert call(*at, "approve", NAME, *asked, "--until", UNTIL).code == 2, "there is no no of theirs any more"


def test_a_rejection_closes_until_the_same_person_says_yes(at, call):
    call(*at, *YES, "--yes")
    no = ("reject", NAME, "--question", "data-valid", "--as", "p-1d5c", "--reason", "March lacks a week", "--yes")
    assert "rejected by p-1d5c" in call(*at, *no).out
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 3
    again = call(*at, *YES, "--yes")
    assert "March lacks a week" in again.out
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 0


def test_a_withdrawal_is_for_ever(at, call):
    gone = ("withdraw", NAME, "--as", "p-1d5c", "--reason", "label leak", "--yes")
    assert "withdrawn by p-1d5c" in call(*at, *gone).out
    assert "label leak" in call(*at, *YES, "--yes").err
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 3
    assert "label leak" in call(*at, "waiting").out


def test_what_stands_against_published_data_is_told_until_a_fact_ends_it(at, call, tmp_path):
    assert "No incident is open." in call(*at, *YES, "--yes").out
    call(*at, "withdraw", NAME, "--as", "p-1d5c", "--reason", "label leak", "--yes")
    waits = call(*at, "waiting")
    assert f"label leak Touches {NAME}@1.0.0." in waits.out
    assert f"Try: ecluse run +{NAME}, then ecluse release create {NAME}" in waits.out
    (incident,) = (one for one in call(*at, "waiting", "--json").json if one["kind"] == "incident")
    assert (incident["reason"]["key"], incident["fields"]["releases"]) == ("withdrawn", f"{NAME}@1.0.0")
    no = ("reject", NAME, "--question", "data-valid", "--as", "p-1d5c", "--reason", "gone", "--yes", "--json")
    again = call(*at, *no)
    assert [one["key"] for one in again.json["incidents"]] == ["withdrawn"]
    assert again.err.count("label leak") == 1, "told among the incidents, and not again among the doubts"
    sheet = tmp_path / "sheet.html"
    call(*at, "report", NAME, "-o", sheet)
    assert "What stands against it now" in sheet.read_text("utf-8")
    assert sheet.read_text("utf-8").count("label leak") == 3, "the verdict, the incident, the decision"
    call(*at, "release", "create", NAME, "--version", "1.0.1")
    assert "label leak" not in call(*at, "waiting").out


def test_a_waiver_names_its_criterion_and_shows_until_the_gate_is_another_one(at, call, tmp_path):
    change(at, "value: 0.2", "value: 0.01")
    waive = ("waive", NAME, "--as", "p-1d5c", "--reason", "one order", "--until", UNTIL, "--yes", "--criterion")
    unknown = call(*at, *waive, "beauty")
    assert (unknown.code, "quarantine" in unknown.err) == (2, True)
    assert call(*at, *waive, "quarantine").code == 0
    assert "waived" in call(*at, "plan").out
    assert "one order" in call(*at, *YES, "--yes").out
    why = call(*at, "why", NAME, "--purpose", "first-look")
    assert (why.code, "one order" in why.out) == (0, True)
    (line,) = (one for one in call(*at, "release", "show", NAME).out.splitlines() if "one order" in one)
    assert line.split()[:2] == ["quarantine", "waived"]
    before = tmp_path / "before.yaml"
    shutil.copy(at[1] / "charter.yaml", before)
    change(at, "value: 0.01", "value: 0.005")
    voided = call(*at, "charter", "diff", before, "--json").json["voided"]
    assert [(one["verdict"], one["question"]) for one in voided] == [
        ("waived", "quarantine"),
        ("approved", "data-valid"),
    ]


def test_what_is_met_is_not_waived(at, call):
    """Nobody would see such a waiver until it lets something through that nobody had seen."""
    waive = ("waive", NAME, "--as", "p-1d5c", "--reason", "x", "--yes", "--criterion", "quarantine", "--until")
    met = call(*at, *waive, UNTIL)
    assert (met.code, "which is met" in met.err) == (2, True)
    change(at, "value: 0.2", "value: 0.01")
    assert call(*at, *waive, UNTIL).code == 0
    before = decisions(at)
    past = call(*at, *waive, "2020-01-01")
    assert (past.code, "would not count" in past.err) == (2, True)
    assert decisions(at) == before


@pytest.mark.parametrize(
    "answer",
    [YES, ("waive", NAME, "--as", "p-1d5c", "--reason", "x", "--until", UNTIL, "--criterion", "quarantine")],
    ids=["approve", "waive"],
)
def test_nothing_is_signed_that_should_open_what_was_withdrawn(at, call, answer):
    assert call(*at, "withdraw", NAME, "--as", "p-1d5c", "--reason", "The label leaks.", "--yes").code == 0
    before = decisions(at)
    done = call(*at, *answer, "--version", "1.0.0", "--yes")
    assert (done.code, "would not count" in done.err, "The label leaks." in done.err) == (2, True, True)
    assert decisions(at) == before


def test_somebody_whom_the_gate_does_not_ask_waives_nothing(at, call):
    change(at, "value: 0.2", "value: 0.01")
    change(at, "parties:\n", "parties:\n  - {id: p-guest}\n")
    waive = ("waive", NAME, "--as", "p-guest", "--reason", "x", "--until", UNTIL, "--yes", "--criterion", "quarantine")
    done = call(*at, *waive)
    assert (done.code, "would not count" in done.err) == (2, True)
    assert decisions(at) == []


def test_outside_a_demo_a_person_signs_with_no_other_key_than_their_own(alone, call):
    done = call(*alone, *YES, "--yes")
    assert done.code == 0, done.err
    assert "meets everything" in done.out


# -- waiting ------------------------------------------------------------------------------------------------------


def test_the_inbox_says_what_waits_for_whom_and_the_next_command(at, call):
    shown = call(*at, "waiting")
    assert shown.code == 0
    assert f"{NAME} 1.0.0, proof-of-concept: data-valid wants 1 more yes of a data-steward." in shown.out
    assert f"Try: ecluse approve {NAME} --version 1.0.0" in shown.out
    assert call(*at, "waiting", "--for", "p-1d5c", "--json").json[0]["people"] == ["p-1d5c"]
    assert call(*at, "waiting", "--for", "s-reader").out == "Nothing waits for s-reader.\n"
    assert call(*at, "waiting", "--for", "nobody").code == 2
    call(*at, *YES, "--yes")
    expiring = call(*at, "waiting", "--json").json
    assert [one["kind"] for one in expiring] == ["expiring"]
    assert call(*at, "waiting", "--within", "3").out == "Nothing waits.\n"


# -- plan ---------------------------------------------------------------------------------------------------------


def test_the_plan_is_every_criterion_and_approval_with_the_next_command(at, call):
    shown = call(*at, "plan")
    assert shown.code == 3
    assert "data-valid, by data-steward" in shown.out
    assert "Columns with personal data that nobody classified so" in shown.out
    assert "--as p-1d5c" in shown.out
    found = call(*at, "plan", "--json").json["releases"][0]
    asked = [("checks", True), ("quarantine", True), ("personal-data", True)]
    assert [(c["id"], c["met"]) for c in found["criteria"]] == asked
    assert found["approvals"][0]["able"] == ["p-1d5c"]
    call(*at, *YES, "--yes")
    assert call(*at, "plan", NAME).code == 0
    assert call(*at, "plan", "--phase", "holiday").code == 2
    assert call(*at, "plan", "--version", "1.0.0").code == 2


def test_the_next_phase_is_prepared_while_the_project_is_in_the_one_before(at, call):
    change(at, "phases: [proof-of-concept]", "phases: [proof-of-concept, scale-up]")
    change(at, "gates:\n", "gates:\n  - {phase: scale-up, approvals: [{question: scale, role: data-steward}]}\n")
    ahead = ("--phase", "scale-up")
    scale = [*YES[:2], "--question", "scale", *YES[4:], "--yes", *ahead]
    assert "scale, by data-steward" in call(*at, "plan").out
    assert call(*at, *scale).code == 0
    skipped = call(*at, "plan", "--json")
    assert (skipped.code, [r["key"] for r in skipped.json["releases"][0]["reasons"]]) == (3, ["phase_skipped"])
    call(*at, *YES, "--yes")
    done = call(*at, "plan")
    assert (done.code, "phase: scale-up in charter.yaml" in done.out) == (0, True)


# -- people -------------------------------------------------------------------------------------------------------


def test_a_name_stands_on_this_machine_only_and_erasing_it_loses_nothing(at, call):
    call(*at, "people", "name", "p-1d5c", 'Ada "A." Éxample')
    assert 'Ada "A." Éxample (p-1d5c)' in call(*at, "waiting").out
    assert 'Ada "A." Éxample' in call(*at, *YES, "--yes").err
    assert call(*at, "people", "list", "--json").json[2]["name"] == 'Ada "A." Éxample'
    database = (at[1] / ".ecluse/demo/ecluse.db").read_bytes()
    assert b"Ada" not in database
    assert "erased" in call(*at, "people", "forget", "p-1d5c").out
    assert "holds no name" in call(*at, "people", "forget", "p-1d5c").out
    assert b"Ada" not in (at[1] / ".ecluse/demo/people.toml").read_bytes()
    assert call(*at, "log", "verify").code == 0
    assert call(*at, "why", NAME, "--purpose", "first-look").code == 0


def test_only_parties_of_the_charter_have_names(at, call):
    assert call(*at, "people", "name", "p-nobody", "x").code == 2
    assert call(*at, "people", "name", "p-1d5c", " ").code == 2
