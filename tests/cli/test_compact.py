"""``ecluse compact`` and what ``ecluse status`` says of suites: a project whose code changes between two commands."""

from __future__ import annotations

import json

import pytest

from ecluse.cli.init import scaffold
from ecluse.cli.suites import todays_suites
from ecluse.project import Project
from tests.cli.conftest import call_apart

STRICTER = "max_value=10_000", "max_value=9_000"


@pytest.fixture(scope="module")
def appended(tmp_path_factory):
    """The scaffold's project, whose source is appended to twice."""
    folder = tmp_path_factory.mktemp("appended") / "orders"
    scaffold(folder)
    source = folder / "assets" / "raw" / "orders.py"
    source.write_text(source.read_text().replace("@ecluse.source(", '@ecluse.source(update="append", ', 1))
    data = folder / "data" / "orders.csv"
    head, *rows = data.read_text().splitlines()
    for some in (rows[:5], rows[5:]):
        data.write_text("\n".join([head, *some]) + "\n")
        ran = call_apart(folder, "run", "+clean.orders", "--json")
        assert ran.code == 0, ran.out + ran.err
    return folder
