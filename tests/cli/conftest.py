"""Scaffolded projects: one that published, and one whose data is broken."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ecluse.cli import app
from ecluse.cli.init import scaffold
from ecluse.ledger import list_keys, new_key
from tests.cli.apart import carried_out


@dataclass(frozen=True)
class Called:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def call_apart(folder: Path, *arguments: str) -> Called:
    """Run a command in a process of its own: two projects have modules of the same names."""
    return Called(*carried_out(["--project", str(folder), *arguments], seconds=180))


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a command in this process."""
    for name in ("ECLUSE_PROJECT", "ECLUSE_PROFILE", "ECLUSE_READER"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Called:
        capsys.readouterr()
        code = app.call([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Called(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The scaffold's project after its first run, with a release that nobody approved. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("built") / "orders"
    scaffold(folder)
    ran = call_apart(folder, "run", "+clean.orders", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert [(s["dataset"], s["ending"], s["rows"], s["quarantined"]) for s in ran.json["steps"]] == [
        ("raw.orders", "published", 10, 0),
        ("clean.orders", "published", 9, 1),
    ]
    assert app.call(["--project", str(folder), "release", "create", "clean.orders", "--version", "1.0.0"]) == 0
    return folder


@pytest.fixture(scope="session")
def broken(tmp_path_factory) -> tuple[Path, Called]:
    """The scaffold's project with four of ten amounts below zero, and how its first run ended."""
    folder = tmp_path_factory.mktemp("broken") / "orders"
    scaffold(folder)
    data = folder / "data" / "orders.csv"
    data.write_text(
        data.read_text("utf-8").replace(",24.90", ",-24.90").replace(",7.50", ",-7.5").replace(",45.00", ",-45")
    )
    return folder, call_apart(folder, "run", "+clean.orders")


@pytest.fixture
def at(built, tmp_path):
    """The options that name a copy of that project, which a test may change."""
    folder = tmp_path / "orders"
    shutil.copytree(built, folder)
    return ("--project", folder)


@pytest.fixture
def alone(at):
    """The same for a machine that holds the key of the data steward, p-1d5c, and no other."""
    settings = at[1] / "pyproject.toml"
    settings.write_text(
        settings.read_text("utf-8") + '\n[tool.ecluse.profiles.mine]\nstate = ".ecluse/mine"\n'
        f'database = "sqlite:///{at[1]}/.ecluse/demo/ecluse.db"\nenvironment = "demo"\n'
    )
    keys = {pair.party: pair.public for pair in list_keys(at[1] / ".ecluse/demo/keys")}
    keys["p-1d5c"] = new_key(at[1] / ".ecluse/mine/keys", "p-1d5c").public
    for party in ("p-1d5c", "s-pipeline"):
        listed = f"  - id: {party}\n    keys: [{{public: {keys[party]}, since: 2020-01-01}}]\n"
        change(at, f"  - id: {party}\n", listed)
    return (*at, "--profile", "mine")


def change(at, before, after):
    """Replace a text that stands in the project's charter."""
    file = at[1] / "charter.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")
