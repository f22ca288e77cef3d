"""Imports point one way, and every third-party library has one home: the contracts of ``pyproject.toml``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What the command line may not load before a command needs it.
HEAVY = ("dagster", "great_expectations", "duckdb", "pyiceberg", "pyarrow", "pandas", "sqlalchemy", "pydantic", "rich")


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after some code."""
    show = "import sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_import_contracts_hold():
    code = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_loads_nothing_heavy():
    code = "import contextlib\nfrom ecluse.cli.app import call\nassert call(['--help']) == 0"
    assert loaded_by(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", ["run", "validate", "report", "init"])
def test_help_of_a_command_loads_nothing_heavy(command):
    code = f"from ecluse.cli.app import call\nassert call(['{command}', '--help']) == 0"
    assert loaded_by(code).isdisjoint(HEAVY)


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import ecluse").isdisjoint(HEAVY)


def test_a_contract_is_read_without_great_expectations():
    code = "from expectations.clean.flights.contract import contract\nassert contract.columns"
    assert loaded_by(code).isdisjoint({"great_expectations", "dagster"})


def test_the_door_needs_neither_dagster_nor_great_expectations():
    code = "import ecluse\nassert callable(ecluse.load) and callable(ecluse.verify)"
    assert loaded_by(code).isdisjoint({"great_expectations", "dagster"})
