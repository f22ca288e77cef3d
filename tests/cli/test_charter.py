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
    signer_for(project, services.charter, "p-1d5c")
    services.close()
    # NOTE: a demo's key that was just made counts from the next opening on.
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
    assert "charter.yaml:" in done.err
    assert "prof-of-concept" in done.err


def test_a_row_filter_that_reaches_further_than_a_row_is_a_mistake(call, project):
    change(project, "columns: {public", "row_filter: amount > (SELECT 1)\n    columns: {public")
    answer = call("--project", project, "charter", "check")
    assert answer.code == 2
    assert "a query in it could read other data" in answer.err


def test_what_can_never_come_true_is_listed(call, project):
    change(project, "role: data-steward}", "role: lawyer}")
    done = call("--project", project, "--json", "charter", "check")
    assert done.code == 0
    assert {d["key"] for d in done.json["doubts"]} == {"too_few_people", "too_few_in_all"}


def test_the_schema_is_written_for_editors(call, project):
    file = project / "charter.schema.json"
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
