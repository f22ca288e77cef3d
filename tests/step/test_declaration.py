"""A definition that can't work is refused where it is written, not where it runs."""

from __future__ import annotations

import dagster as dg
import great_expectations as gx
import pytest

import ecluse
from ecluse.errors import DefinitionError
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard, Table

CONTRACT = Contract(columns=[Column("id", "BIGINT")], owner="team", licence="CC0-1.0")
SUITE = gx.ExpectationSuite("clean.flights")
GUARD = Guard(CONTRACT, lambda: SUITE)
ROW = {"ins": {"raw": "raw.flights"}, "grain": "row"}


class Shop(dg.ConfigurableResource):
    name: str


class Settings(dg.Config):
    least: int = 0


def fits(raw: Table) -> str:
    return "SELECT id FROM raw"


def everything(context, raw: Table, partition: str, config: Settings, shop: Shop, often: int = 3) -> str:
    return "SELECT id FROM raw"


def any_inputs(**inputs: Table) -> str:
    return "SELECT id FROM raw"


def no_input() -> str:
    return "SELECT 1 AS id"


def more(raw: Table, planes: Table) -> str:
    return "SELECT id FROM raw"


async def later(raw: Table) -> str:
    return "SELECT id FROM raw"


async def later_each(raw: Table):
    yield "SELECT id FROM raw"


def each(raw: Table):
    yield "SELECT id FROM raw"


@pytest.mark.parametrize("function", [fits, everything, any_inputs])
def test_a_function_that_fits_is_taken(function):
    assert isinstance(ecluse.asset("clean.flights", guard=GUARD, **ROW)(function), dg.AssetsDefinition)


@pytest.mark.parametrize(
    ("function", "settings", "said"),
    [
        (no_input, ROW, "Not a parameter: raw"),
        (more, ROW, "Parameters of nothing: planes"),
        (later, ROW, "an async function"),
        (later_each, ROW, "an async function"),
        (each, ROW, "a generator"),
        (fits, {**ROW, "grain": None}, "has inputs and no grain"),
        (no_input, {"grain": "row"}, "has no inputs"),
        (fits, {**ROW, "grain": "group"}, "control totals"),
        (fits, {**ROW, "totals": {"rows": ("count(*)", "count(*)")}}, "control totals"),
        (
            fits,
            {**ROW, "grain": "group", "totals": {"rows": ("count(*)", "count(*)")}, "filters": {"no": "false"}},
            "filters",
        ),
        (fits, {**ROW, "look_ups": {"planes": "true"}}, "look-up of planes"),
        (fits, {**ROW, "look_ups": {"raw": "true"}}, "look-up of raw"),
        (any_inputs, {"ins": {"_out": "raw.flights"}, "grain": "row"}, "names its inputs _out"),
        (any_inputs, {"ins": {"raw": "raw.flights", "RAW": "raw.planes"}, "grain": "row"}, "names its inputs raw, RAW"),
        (any_inputs, {"ins": {"context": "raw.flights"}, "grain": "row"}, "names its inputs context"),
        (any_inputs, {"ins": {"a": "raw.flights", "b": "raw.flights"}, "grain": "row"}, "under two names"),
        (fits, {**ROW, "key": "another"}, "key"),
        (fits, {**ROW, "check_specs": []}, "check_specs"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(function, settings, said):
    with pytest.raises(DefinitionError) as caught:
        ecluse.asset("clean.flights", guard=GUARD, **settings)(function)
    assert said in str(caught.value)
    assert "clean.flights" in str(caught.value)
    assert "Try: " in str(caught.value)


@pytest.mark.parametrize("suite", [None, "not a suite"])
def test_an_asset_without_a_suite_is_refused(suite):
    with pytest.raises(DefinitionError) as caught:
        ecluse.asset("clean.flights", guard=Guard(CONTRACT, lambda: suite), **ROW)(fits)
    assert "clean.flights" in str(caught.value)


def test_a_source_without_a_suite_is_refused():
    with pytest.raises(DefinitionError):
        ecluse.source("raw.flights", guard=Guard(CONTRACT, lambda: None))(no_input)


def test_a_name_that_sql_reserves_is_quoted_for_the_author():
    from ecluse import testing

    def flights(order: Table) -> str:
        return f"SELECT id FROM {order}"

    found = ecluse.asset("clean.flights", guard=GUARD, ins={"order": "raw.flights"}, grain="row")(flights)
    assert testing.run_step(found, {"order": [{"id": 1}]}).verdict.publishes
