"""``ecluse status``: a suite that changed since the check is told, and a check with today's clears it."""

from __future__ import annotations

import json

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.orchestration import runner
from tests.step.chain import CLEAN, RAW, Chain, suite_of


@pytest.fixture
def shop(tmp_path, monkeypatch):
    chain = Chain(tmp_path)
    chain.make(RAW, "1,5,a\n2,7,b\n")
    chain.make(CLEAN)
    chain.close()
    monkeypatch.setattr(runner, "load_steps", lambda _: chain.steps)
    chain.edit = lambda suite: edit(chain, suite)
    return chain


def edit(chain, suite):
    """Today's suite is another one; its file changed, as somebody's who edits it does."""
    chain.suite = suite
    file = chain.folder / "expectations" / "clean" / "orders.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(suite.to_json_dict()))


def status(shop, call, lang="en"):
    shown = call("--project", shop.folder, "--lang", lang, "status")
    assert shown.code == 0, shown.err
    return " ".join(shown.out.split())


def test_a_changed_suite_makes_a_pass_stale_until_the_data_is_checked_again(shop, call):
    assert "stale" not in status(shop, call)
    shop.edit(suite_of(1))
    said = status(shop, call)
    assert "held, stale" in said
    assert f"Changed: column_values_to_be_between__amount. Try: ecluse check {CLEAN}" in said
    assert "périmé" in status(shop, call, "fr")
    stale = {s["dataset"]: s["stale"] for s in call("--project", shop.folder, "status", "--json").json}
    assert (stale[RAW], stale[CLEAN]["changed"]) == (False, ["column_values_to_be_between__amount"])
    assert call("--project", shop.folder, "check", CLEAN).code == 0
    assert "stale" not in status(shop, call)


def test_a_new_suite_that_does_not_hold_leaves_nothing_stale_and_nothing_held(shop, call):
    shop.edit(suite_of(6))
    assert call("--project", shop.folder, "check", CLEAN).code == 2
    assert ("stale" in (said := status(shop, call)), "broken" in said) == (False, True)


def test_checks_that_came_and_went_are_named(shop, call):
    unique = gxe.ExpectColumnValuesToBeUnique(column="mail", severity="critical")
    shop.edit(gx.ExpectationSuite("clean", expectations=[unique]))
    said = status(shop, call)
    assert "New: column_values_to_be_unique__mail. Gone: column_values_to_be_between__amount." in said


def test_suites_are_built_again_only_when_code_or_expectations_changed(shop, call, monkeypatch):
    status(shop, call)

    def fails(_):
        raise RuntimeError("an asset that can't be imported")

    monkeypatch.setattr(runner, "load_steps", fails)
    (shop.folder / "venv" / "lib").mkdir(parents=True)
    (shop.folder / "venv" / "pyvenv.cfg").touch()
    for name in ("data.csv", ".hidden.md", "venv/lib/installed.py"):
        (shop.folder / name).write_text("1")
    assert "unknown" not in status(shop, call)
    (shop.folder / "assets.py").write_text("import nothing_like_it")
    said = status(shop, call)
    assert "Whether suites changed since the checks is unknown: RuntimeError: an asset that can't be imported" in said
    assert all(s["stale"] is None for s in call("--project", shop.folder, "status", "--json").json)


def test_a_project_whose_suites_can_not_be_remembered_builds_them_each_time(shop, call, monkeypatch):
    memory = shop.folder / ".ecluse" / "demo" / "suites.json"
    memory.mkdir()
    assert "stale" not in status(shop, call)
    memory.rmdir()
    memory.write_text('{"code": ')
    assert "stale" not in status(shop, call)
    assert json.loads(memory.read_text())["suites"].keys() == shop.steps.keys()
