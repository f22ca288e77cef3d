"""On all of the real data: what is no person's raises no alarm, and what is one is found without being told."""

from dataclasses import replace

import pytest

from ecluse.engine import Engine
from ecluse.model.contract import Classification
from ecluse.model.outcome import Outcome
from ecluse.quality.detect import detect
from tests.project.conftest import IN_ORDER, step_of


@pytest.fixture(scope="module")
def looked(year):
    """What is found in a dataset: as its contract classifies it, or as if nobody had."""

    def look(name, *, classified=True):
        columns = step_of(name).guard.contract.columns
        if not classified:
            columns = [replace(c, classification=Classification.UNCLASSIFIED, reason="") for c in columns]
        with Engine() as engine, engine.registered(year[name].candidate) as rows:
            return detect(engine, rows, columns)

    return look


@pytest.mark.parametrize("name", IN_ORDER)
def test_nothing_in_the_reference_project_is_found_unclassified(looked, name):
    found = looked(name)
    assert (found.outcome, found.findings) == (Outcome.HELD, ())


@pytest.mark.parametrize("name", [n for n in IN_ORDER if n.split(".")[1] not in ("people", "debuts")])
def test_ids_delays_and_times_of_flights_are_taken_for_nobodys(looked, name):
    assert looked(name, classified=False).findings == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("raw.people", {"birthYear": "birth", "nameFirst": "name", "nameLast": "name", "nameGiven": "name"}),
        ("clean.people", {"born": "birth", "birth_year": "birth", "first_name": "name", "last_name": "name"}),
        ("products.debuts", {"born": "birth"}),
    ],
)
def test_people_are_found_where_nobody_classified_them(looked, name, found):
    assert {f.column: f.detector for f in looked(name, classified=False).findings} == found
