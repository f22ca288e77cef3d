"""Real people: what each role of the charter sees of them, on all of the data."""

from pathlib import Path

import pyarrow.compute as pc
import pytest

from ecluse.access import compile_grant
from ecluse.charterfile import load_charter
from ecluse.engine import Engine
from ecluse.gate import valid_grants
from ecluse.model.outcome import Outcome
from ecluse.orchestration.registry import step_definition
from pipelines.datasets import ASSETS

CHARTER = load_charter(Path(__file__).parents[2] / "charter.yaml")
DATASET, PURPOSE = "products.debuts", "age-study"
CONTRACT = next(s for s in map(step_definition, ASSETS) if s.name == DATASET).guard.contract


@pytest.fixture(scope="module")
def sees(year):
    """What a party sees of the product, and how each column is shown."""

    def asked(party, purpose=PURPOSE):
        today = max(role.since for role in CHARTER.party(party).roles)
        grants = valid_grants(CHARTER, party, DATASET, purpose, today)
        granted = compile_grant(grants, CONTRACT.columns, purpose=purpose, key=lambda: bytes(32))
        if granted is None:
            return None, {}
        with Engine() as engine, engine.registered(year[DATASET].candidate) as rows:
            return engine.arrow(granted.select_sql(rows), granted.keys.reveal()), granted.columns

    return asked


def test_the_analyst_sees_ages_and_no_person(sees, year):
    rows, shown = sees("s-study")
    clear = year[DATASET].candidate

    assert shown["age"] == "clear"
    assert {name: way for name, way in shown.items() if way != "clear"} == {
        "player": "pseudonym",
        "name": "null",
        "born": "generalised",
        "country": "generalised",
        "debut": "generalised",
    }
    assert rows.num_rows == clear.num_rows
    assert rows["name"].null_count == rows.num_rows
    assert pc.count_distinct(rows["player"]).as_py() == clear.num_rows
    assert not set(rows["player"].to_pylist()) & set(clear["player"].to_pylist())
    assert {day.isoformat()[3:] for day in pc.unique(rows["born"]).to_pylist() if day} == {"0-01-01"}
    assert {day.isoformat()[3:] for day in pc.unique(rows["debut"]).to_pylist()} == {"0-01-01"}
    assert set(rows["country"].to_pylist()) - {None} <= {
        "North America", "Caribbean", "South America", "Central America", "Asia", "Europe",
    }  # fmt: skip


def test_who_protects_the_data_sees_what_is_stored(sees, year):
    rows, shown = sees("p-91c4de")

    assert set(shown.values()) == {"clear"}
    assert rows["name"].to_pylist() == year[DATASET].candidate["name"].to_pylist()


def test_nobody_stands_out_of_what_the_analyst_sees(sees, year):
    rows, _ = sees("s-study")
    groups = rows.group_by(["born", "country", "debut", "age"]).aggregate([([], "count_all")])
    assert min(groups["count_all"].to_pylist()) >= 5
    assert groups.num_rows > 400
    (check,) = [c for name, c in year[DATASET].checks.items() if name.startswith("smallest_group")]
    assert check.outcome is Outcome.HELD


def test_who_would_stand_out_is_kept_without_what_betrays_them(year):
    clear = year[DATASET].candidate
    hidden = clear.filter(pc.is_null(clear["age"]))
    assert 0 < hidden.num_rows < 0.07 * clear.num_rows
    assert hidden["born"].null_count == hidden["country"].null_count == hidden.num_rows


@pytest.mark.parametrize("party", ["s-training", "p-4f8a21", "p-2e95d8"])
def test_who_answers_for_flights_sees_nobody(sees, party):
    assert sees(party) == (None, {})


@pytest.mark.parametrize("party", ["s-study", "p-91c4de"])
def test_nobody_is_granted_the_purpose_that_is_prohibited(sees, party):
    assert not CHARTER.purpose("fan-marketing").allowed
    assert sees(party, "fan-marketing") == (None, {})


def test_how_a_life_ended_goes_no_further_than_the_delivery(year):
    assert not [n for name in ("clean.people", DATASET) for n in year[name].candidate.column_names if "death" in n]
