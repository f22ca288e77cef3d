"""The small project in which races and kills are tried out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe

from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard
from ecluse.project import Project
from ecluse.step.services import Services, open_services

CHARTER = """
project: trial
problem: Does a crash or a race lose a row?
phase: trial
phases: [trial]
purposes: [{id: counting, description: count rows}]
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence]}]
"""


def make(folder: Path, database: str | None = None) -> None:
    """Write the project's files; ``database`` is a URL, else the project has a SQLite file."""
    (folder / "charter.yaml").write_text(CHARTER)
    if database is not None:
        profile = f'[tool.ecluse.profiles.demo]\nenvironment = "demo"\ndatabase = "{database}"\n'
        (folder / "pyproject.toml").write_text(profile)
    opened(folder).close()


def opened(folder: Path) -> Services:
    """The project, opened for building."""
    return open_services(Project.find(folder, "demo"))


def guard(name: str, key: tuple[str, ...] = ("id",), *, quarantine: bool) -> Guard:
    """What is promised of a dataset: its key and, where broken rows leave for quarantine, no negative amount."""
    columns = (Column("id", "BIGINT"), Column("amount", "BIGINT"))
    contract = Contract(columns=columns, key=key, owner="trial", licence="CC0-1.0")
    expectations = []
    if quarantine:
        contract = replace(contract, on_failure="quarantine", quarantine_at_most=0.5)
        expectations.append(gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, severity="critical"))
    suite = gx.ExpectationSuite(name, expectations=expectations)
    return Guard(contract, lambda: suite)
