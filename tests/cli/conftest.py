"""Scaffolded projects: one that published, and one whose data is broken."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ecluse.cli import app
from ecluse.cli.init import scaffold
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
