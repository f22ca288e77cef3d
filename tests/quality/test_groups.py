"""k-anonymity is a check like any other: what readers see of people puts each of them into a group of at least k."""

from __future__ import annotations

from datetime import UTC, datetime

import great_expectations as gx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecluse.engine import Engine
from ecluse.model.contract import Column, Contract, KAnonymity
from ecluse.model.outcome import Outcome, Scope
from ecluse.model.step import Guard
from ecluse.quality import check, guarded_suite, promise_text

ENGINE = Engine(threads=1)
COLUMNS = (
    Column("born", "DATE", classification="personal", generalise="decade"),
    Column("city", "VARCHAR", classification="personal", generalise={"Lyon": "East", "Brest": "{West}"}),
    Column("ward", "VARCHAR", classification="public"),
)


def checked(rows, k, *columns):
    contract = Contract(columns=COLUMNS, owner="o", licence="l", k_anonymity=KAnonymity(k, columns))
    guarded = guarded_suite(Guard(contract, lambda: gx.ExpectationSuite("people", expectations=[])), "people")
    tables = dict.fromkeys((Scope.BATCH, Scope.TABLE), f"({rows})")
    found = check(ENGINE, guarded, tables, data_now=datetime(2026, 1, 1, tzinfo=UTC))
    return next(r for r in found.results if r.type.startswith("expect_smallest")), found


PEOPLE = """SELECT * FROM (VALUES (DATE '1987-06-05', 'Lyon', 'a'), (DATE '1981-01-01', 'Lyon', 'a'),
    (DATE '1989-12-31', 'Lyon', 'b'), (DATE '1990-01-01', 'Brest', 'b')) AS t(born, city, ward)"""


@pytest.mark.parametrize(
    ("k", "columns", "outcome", "small"),
    [
        (2, ("born",), "broken", 1),
        (3, ("city",), "broken", 1),
        (2, ("ward",), "held", 0),
        (3, ("ward",), "broken", 2),
        (2, ("born", "ward"), "broken", 2),
    ],
)
def test_groups_are_made_of_what_readers_see(k, columns, outcome, small):
    result, _ = checked(PEOPLE, k, *columns)
    assert (result.outcome, result.observed) == (Outcome(outcome), small)


def test_those_of_whom_nothing_is_shown_are_a_group_too():
    nulls = "SELECT NULL::DATE AS born, NULL::VARCHAR AS city, NULL::VARCHAR AS ward FROM range(3)"
    assert checked(nulls, 3, "born", "city", "ward")[0].outcome is Outcome.HELD
    assert checked(nulls, 4, "born", "city", "ward")[0].outcome is Outcome.BROKEN


def test_no_row_at_all_betrays_nobody():
    assert checked(f"{PEOPLE} LIMIT 0", 5, "born")[0].outcome is Outcome.HELD


def test_it_is_named_and_said_and_blocks_like_any_other_check():
    result, found = checked(PEOPLE, 5, "born", "city")
    assert result.name == "smallest_group_to_be_at_least__born_city"
    assert (result.scope, result.blocks) == (Scope.TABLE, True)
    assert promise_text(result) == (
        "each combination of born, city, as coarse as readers see it, is shared by at least 5 rows"
    )
    assert "au moins 5" in promise_text(result, "fr")
    told = str(found.gx_result.to_json_dict())
    assert "1987" not in told
    assert "Lyon', 'size" not in told


def test_what_cannot_be_computed_is_not_held():
    result, _ = checked("SELECT DATE '1987-06-05' AS born", 2, "born", "city")
    assert result.outcome is Outcome.NOT_COMPUTED


@pytest.mark.parametrize(
    ("k", "columns", "said"), [(1, ("born",), "at least 2"), (2, (), "at least one"), (2, ("ward", "ward"), "once")]
)
def test_what_hides_nobody_is_refused(k, columns, said):
    with pytest.raises(ValidationError, match=said):
        KAnonymity(k, columns)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ValidationError, match="shoe"):
        Contract(columns=COLUMNS, owner="o", licence="l", k_anonymity=KAnonymity(2, ("shoe",)))


def test_only_a_contract_that_promises_it_has_another_digest():
    plain = Contract(columns=COLUMNS, owner="o", licence="l")
    promised = Contract(columns=COLUMNS, owner="o", licence="l", k_anonymity=KAnonymity(2, ("ward",)))
    assert plain.digest != promised.digest


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), st.integers(2, 6))
def test_the_answer_is_that_of_counting(wards, k):
    rows = " UNION ALL ".join(f"SELECT NULL::DATE AS born, NULL::VARCHAR AS city, '{ward}' AS ward" for ward in wards)
    smallest = min(wards.count(ward) for ward in wards)
    assert (checked(rows, k, "ward")[0].outcome is Outcome.HELD) == (smallest >= k)
