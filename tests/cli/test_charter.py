"""``ecluse charter``: checked with line and column, described for editors, compared with what it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.charterfile import json_schema
from ecluse.ledger import signer_for
from ecluse.project import Project
from ecluse.step.releases import decide, find_release
from ecluse.step.services import open_services


@pytest.fixture
def project(built, tmp_path):
    """A copy of a project with a release that was approved a moment ago, in a repository of its own."""
    folder = tmp_path / "orders"
    shutil.copytree(built, folder)
    for command in (
        ("init", "-q"),
        ("add", "charter.yaml"),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"),
    ):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def change(folder, before, after):
    file = folder / "charter.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def approve(folder):
    project = Project.find(folder)
    services = open_services(project)
    signer = signer_for(project, services.charter, "p-1d5c")
    manifest = find_release(services, "clean.orders", "1.0.0")
    until = datetime.now(UTC) + timedelta(days=30)
    decide(services, signer, manifest, "approved", question="data-valid", reason="counted", expires=until)
    services.close()


def test_a_charter_that_can_work_is_said_to_be_one(call, project):
    done = call("--project", project, "charter", "check")
    assert done.code == 0
    assert "Odd in it: 0" in done.out


def test_a_mistake_is_shown_with_line_and_column(call, project):
    change(project, "phase: proof-of-concept", "phase: prof-of-concept")
    done = call("--project", project, "charter", "check")
    assert done.code == 2
    assert "charter.yaml:8:1: phase: “prof-of-concept” is not one of the phases" in done.err


def test_a_row_filter_that_reaches_further_than_a_row_is_a_mistake(call, project):
    change(project, "columns: {public", "row_filter: amount > (SELECT 1)\n    columns: {public")
    answer = call("--project", project, "charter", "check")
    assert answer.code == 2
    assert "a query in it could read other data" in answer.err
    assert "charter.yaml:41:5" in answer.err


KPI = "kpis:\n  - {id: k, metric: m, baseline: 0, target: 1, by: 2099-01-01, over: {o: clean.orders}, sql: %s}\ngrants:"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "attests: [read]",
            "attests: [decision]",
            "charter.yaml:32:5: Party s-reader of the charter attests: decision.",
        ),
        (
            "  - id: s-reader",
            "  - id: s-reader\n    keys: [{public: '00ff', since: 2024-01-01}]",
            "charter.yaml:31:13: ",
        ),
        ("grants:", KPI % "SELEC 1", "charter.yaml:38:89: sql of the KPI “k” is not one SELECT: "),
        ("grants:", KPI % "SELECT 1; SELECT 2", "charter.yaml:38:89: sql of the KPI “k” holds 2 statements"),
        ("grants:", KPI % "DROP TABLE o", "charter.yaml:38:89: sql of the KPI “k” is not one SELECT: "),
    ],
)
def test_what_would_stop_somebody_later_is_a_mistake_now(call, project, before, after, said):
    change(project, before, after)
    answer = call("--project", project, "charter", "check")
    assert answer.code == 2
    assert said in answer.err


def test_what_can_never_come_true_is_listed(call, project):
    change(project, "role: data-steward}", "role: lawyer}")
    at = ("--project", project)
    done = call(*at, "--json", "charter", "check")
    assert done.code == 0
    found = {d["key"]: (d["line"], d["column"]) for d in done.json["doubts"]}
    assert found == {"too_few_people": (24, 32), "too_few_in_all": (23, 5)}
    assert "  charter.yaml:24:32: proof-of-concept: “data-valid” needs 1" in call(*at, "charter", "check").out
    assert call(*at, "charter", "check", "--strict").code == 2


def test_a_new_project_has_a_sound_charter_and_the_schema_that_its_first_line_names(call, project):
    assert call("--project", project, "charter", "check", "--strict").code == 0
    first = (project / "charter.yaml").read_text("utf-8").splitlines()[0]
    assert json.loads((project / first.partition("$schema=")[2]).read_text("utf-8")) == json_schema()


def test_the_schema_is_written_for_editors(call, project):
    file = project / "anew.json"
    assert call("--project", project, "charter", "schema", file).code == 0
    assert json.loads(file.read_text("utf-8")) == json_schema()
    assert json.loads(call("charter", "schema").out) == json_schema()
    nowhere = call("charter", "schema", project / "missing" / "schema.json")
    assert nowhere.code == 2
    assert "can't be written" in nowhere.err


def test_a_gate_that_was_tightened_voids_what_was_approved_under_the_old_one(call, project):
    at = ("--project", project)
    approve(project)
    assert "Nothing in the charter changed." in call(*at, "charter", "diff").out

    change(project, "parties:\n", "parties:\n  - {id: p-trainee}\n")
    harmless = call(*at, "charter", "diff").out
    assert "p-trainee" in harmless
    assert "every approval goes on counting" in harmless

    change(project, "value: 0.2", "value: 0.1")
    found = call(*at, "--json", "charter", "diff", "--since", "HEAD").json
    assert found["gates"] == ["proof-of-concept"]
    assert [(v["question"], v["release"]) for v in found["voided"]] == [("data-valid", "clean.orders@1.0.0")]
    assert "clean.orders@1.0.0" in call(*at, "charter", "diff").out
    why = call(*at, "--json", "why", "clean.orders", "--purpose", "first-look")
    assert "approval_old_gate" in why.out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("roles: [{name: data-steward, since: 2024-01-01}, ", "roles: ["),
        ("{name: data-steward, since: 2024-01-01}", "{name: data-steward, since: 2024-01-01, until: 2024-02-01}"),
        ("parties:\n", "trainings: [{id: ethics, description: Half a day, roles: [data-steward]}]\nparties:\n"),
        ("  - id: s-pipeline\n", "  - id: s-pipeline\n    responsible: p-1d5c\n"),
    ],
    ids=["the role is gone", "the role ended", "a training is asked for", "who made it is that person's service"],
)
def test_an_approval_that_counts_no_more_is_named_though_its_gate_stayed(call, project, before, after):
    approve(project)
    change(project, before, after)
    at = ("--project", project)
    found = call(*at, "--json", "charter", "diff").json
    assert found["gates"] == []
    assert [(v["question"], v["signer"]) for v in found["voided"]] == [("data-valid", "p-1d5c")]
    shown = call(*at, "charter", "diff").out
    assert "Answers that no longer count" in shown
    assert "goes on counting" not in shown


def test_a_revision_that_is_not_there_is_an_error_with_a_hint(call, project):
    done = call("--project", project, "charter", "diff", "--since", "v9")
    assert done.code == 2
    assert "git log" in done.err


def test_a_rule_is_acknowledged_before_its_data_opens(call, project):
    at = ("--project", project)
    approve(project)
    rule = "rules:\n  - {id: with-care, version: 1, text: Nobody looks at single orders.}\nparties:\n"
    change(project, "parties:\n", rule)
    change(project, "  - id: s-reader\n", "  - id: s-reader\n    responsible: p-1d5c\n")
    asked = ("why", "clean.orders", "--purpose", "first-look")
    assert "with-care" in call(*at, *asked).out
    assert call(*at, "acknowledge", "without-care", "--as", "p-1d5c", "--yes").code == 2
    signed = call(*at, "acknowledge", "with-care", "--as", "p-1d5c", "--yes")
    assert signed.code == 0, signed.err
    assert "Nobody looks at single orders." in signed.out
    assert "with-care" not in call(*at, *asked).out
