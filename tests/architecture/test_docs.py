"""Docstring examples run, and every module and command says what it is."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import click
import pytest

import ecluse
from ecluse.cli.app import app

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(ecluse.__path__, "ecluse.", onerror=lambda name: None)
    if ".scaffold" not in m.name
)


def source(name: str) -> str:
    parts = name.split(".")[1:]
    path = Path(ecluse.__file__).parent.joinpath(*parts)
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")


def commands(group: click.Group, prefix: str = "ecluse") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, command in group.commands.items():
        found.append((f"{prefix} {name}", command))
        if isinstance(command, click.Group):
            found += commands(command, f"{prefix} {name}")
    return found


@pytest.mark.parametrize("name", [n for n in MODULES if ">>>" in source(n)])
def test_docstring_examples_run(name):
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted
    assert done.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_in_one_line_what_it_is(name):
    assert source(name).startswith(('"""', 'r"""'))


@pytest.mark.parametrize(("name", "command"), commands(app), ids=[name for name, _ in commands(app)])
def test_every_command_shows_an_example_of_itself(name, command):
    assert "Example:" in command.help
    assert name in command.help.split("Example:")[1]
    assert all(option.help for option in command.params if isinstance(option, click.Option))
