"""What a wrong call leads to: three parts and an exit code, never a traceback."""

from __future__ import annotations

import json

import pytest

from ecluse.cli import status
from ecluse.errors import Refused
from ecluse.model.verdict import Reason, Verdict


def test_without_a_project_the_message_has_three_parts(tmp_path, call):
    shown = call("--project", tmp_path, "status")
    assert shown.code == 2
    assert [line.split(" ")[0] for line in shown.err.splitlines()] == ["No", "Allowed:", "Try:"]


def test_the_message_is_french_where_french_was_asked_for(tmp_path, call):
    assert "À essayer\u00a0:" in call("--lang", "fr", "--project", tmp_path, "status").err


def test_a_machine_gets_the_error_as_json(tmp_path, call):
    found = call("--project", tmp_path, "status", "--json").json
    assert (found["error"], found["key"]) == ("DefinitionError", "project.missing")
    assert found["hint"]


def test_an_unknown_option_is_a_usage_error(call):
    shown = call("status", "--no-such-thing")
    assert (shown.code, "No such option" in shown.err) == (2, True)


@pytest.mark.parametrize("debug", [False, True])
def test_what_was_not_expected_shows_a_traceback_only_on_request(debug, tmp_path, call, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    assert call("init", tmp_path / "new").code == 0
    monkeypatch.setattr(status, "statuses", fail)
    shown = call("--project", tmp_path / "new", "status", *(["--debug"] if debug else []))
    assert shown.code == 1
    assert "a defect" in shown.err
    assert ("Traceback" in shown.err) is debug


def test_a_refusal_ends_with_3_and_lists_its_reasons(tmp_path, call, monkeypatch):
    def refuse(*_: object) -> None:
        verdict = Verdict((Reason("release_none", {"dataset": "clean.orders"}),))
        raise Refused(
            "door.refused", verdict=verdict, datasets="clean.orders", dataset="clean.orders", version="", purpose="p"
        )

    assert call("init", tmp_path / "new").code == 0
    monkeypatch.setattr(status, "statuses", refuse)
    shown = call("--project", tmp_path / "new", "status", "--json")
    assert shown.code == 3
    assert [r["key"] for r in shown.json["reasons"]] == ["release_none"]


def test_nothing_is_ever_overwritten_by_init(tmp_path, call):
    (tmp_path / "mine.txt").write_text("mine")
    shown = call("init", tmp_path)
    assert (shown.code, [p.name for p in tmp_path.iterdir()]) == (2, ["mine.txt"])
    assert "new or empty" in shown.err


@pytest.mark.parametrize("content", ["", "[]", "{not json"])
def test_a_file_that_is_no_checkpoint_says_so(content, tmp_path, call):
    assert call("init", tmp_path / "new").code == 0
    (tmp_path / "kept.json").write_text(content)
    shown = call("--project", tmp_path / "new", "log", "verify", "--checkpoint", tmp_path / "kept.json")
    assert (shown.code, "ecluse log checkpoint" in shown.err) == (2, True)


def test_a_key_is_made_and_its_public_half_printed_for_the_charter(tmp_path, call):
    assert call("init", tmp_path / "new").code == 0
    found = call("--project", tmp_path / "new", "key", "new", "p-77", "--no-passphrase", "--json").json
    assert len(bytes.fromhex(found["public"])) == 32


def test_the_doctor_names_a_charter_that_is_broken_and_goes_on(tmp_path, call):
    assert call("init", tmp_path / "new").code == 0
    (tmp_path / "new" / "charter.yaml").write_text("project: new\n")
    shown = call("--project", tmp_path / "new", "doctor", "--json")
    states = {f["name"]: f["state"] for f in shown.json}
    assert (shown.code, states["charter"], states["dagster_home"]) == (2, "bad", "good")


def suite(tmp_path, most):
    path = tmp_path / "suite.json"
    kwargs = {"column": "amount", "min_value": 0, "max_value": most}
    expectation = {"type": "expect_column_values_to_be_between", "kwargs": kwargs}
    path.write_text(json.dumps({"name": "anybody's", "expectations": [expectation]}))
    return path


@pytest.mark.parametrize(("most", "code"), [(10, 0), (2, 2)])
def test_any_suite_is_validated_on_any_file(most, code, tmp_path, call):
    (tmp_path / "data.csv").write_text("id,amount\n1,2\n2,3\n")
    shown = call("validate", suite(tmp_path, most), tmp_path / "data.csv")
    assert shown.code == code
    assert "expect_column_values_to_be_between" in shown.out
