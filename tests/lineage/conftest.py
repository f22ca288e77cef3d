"""The corpus of statements with their lineage, and their parser.

Each file of ``columns/`` is one statement with what is expected of it in leading comments:

.. code-block:: text

    -- total <- orders.amount AGGREGATION, orders.cust WINDOW
    -- now <-
    -- ROWS <- orders.email FILTER
    -- ERROR a part of the message
    -- UNREPEATABLE the statement's result isn't the same each time, so that the oracle can't judge it
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "columns"
TABLES = tomllib.loads((FOLDER / "tables.toml").read_text("utf-8"))
# (table, column, kind of influence, masked)
Influence = tuple[str, str, str, bool]


@dataclass(frozen=True)
class Case:
    name: str
    sql: str
    fields: dict[str, set[Influence]]
    rows: set[Influence]
    error: str
    repeatable: bool


def _influences(text: str) -> set[Influence]:
    found = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        source, subtype, *masked = part.split()
        table, column = source.split(".")
        found.add((table, column, subtype, masked == ["masked"]))
    return found


def read_case(path: Path) -> Case:
    fields, rows, error, repeatable, sql = {}, set(), "", True, []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("-- "):
            sql.append(line)
        elif line.startswith("-- ERROR "):
            error = line.removeprefix("-- ERROR ")
        elif line.startswith("-- UNREPEATABLE"):
            repeatable = False
        else:
            name, _, text = line.removeprefix("-- ").partition(" <-")
            if name == "ROWS":
                rows = _influences(text)
            else:
                fields[name] = _influences(text)
    return Case(path.stem, "\n".join(sql), fields, rows, error, repeatable)


CASES = [read_case(path) for path in sorted(FOLDER.glob("*.sql"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return CASES


@pytest.fixture(scope="session")
def tables() -> dict[str, dict[str, str]]:
    return TABLES
