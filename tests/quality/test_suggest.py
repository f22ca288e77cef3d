"""``suggest``: what is suggested holds, says why, goes through JSON and Python, and notices when data change."""

import datetime as dt
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from ecluse.errors import DefinitionError
from ecluse.model.contract import Contract
from ecluse.quality import compile_contract, gx, read_suite, validate
from ecluse.quality.suggesting import contract_source, json_source, suggest, suite_source, write_suggestion
from tests.quality.tables import tables

START = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
N = 400


def orders(**changed):
    """A table with a key, a set, a pattern, ranges, gaps, a pair in order and people."""
    columns = {
        "order_id": list(range(1, N + 1)),
        "plate": [f"AB-{100 + i}" for i in range(N)],
        "state": [["open", "paid", "sent"][i % 3] for i in range(N)],
        "amount": [round(5 + (i * 37 % 500) / 7, 2) for i in range(N)],
        "discount": [None if i % 10 == 0 else (i % 100) / 100 for i in range(N)],
        "hour": [i % 24 for i in range(N)],
        "ordered_at": [START + dt.timedelta(minutes=i * 7 % 1000) for i in range(N)],
        "shipped_at": [START + dt.timedelta(minutes=i * 7 % 1000 + i % 400) for i in range(N)],
        "full_name": [f"Ada {'Exemple' if i % 2 else 'Beispiel'}" for i in range(N)],
        "note": [f"{'word ' * (i % 9)}{i}?" for i in range(N)],
    }
    return pa.table({**columns, **changed})


@pytest.fixture(scope="module")
def suggestion():
    return suggest(orders(), name="raw.orders")


def asked(suggestion):
    return {(p.type.removeprefix("expect_"), p.kwargs.get("column")): p for p in suggestion.proposals}


def holds(table, suite):
    result = validate(table, suite)
    assert [r.expectation_config.type for r in result.results if not r.success] == []
    return result


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_a_suggested_suite_holds_on_its_data_also_after_json_and_python(tmp_path, table):
    found = suggest(table, name='raw."""made\\')
    assert [proposal for proposal, why in found.left_out if why == "not_computed"] == []
    holds(table, found.suite())
    path = tmp_path / "suite.json"
    path.write_text(json_source(found), "utf-8")
    assert len(holds(table, read_suite(path)).results) == len(found.proposals)
    named = executed(suite_source(found))["suite"]
    assert len(named.expectations) == len(found.beside_contract())
    holds(table, named)
    if not found.columns:
        return
    contract = executed(contract_source(found))["contract"]
    assert isinstance(contract, Contract)
    holds(table, gx.module().ExpectationSuite("contract", expectations=compile_contract(contract)))


def executed(source):
    found = {}
    exec(compile(source, "made.py", "exec"), found)
    return found


def test_what_is_suggested_is_ranked_and_says_why(suggestion):
    found = asked(suggestion)
    assert found["column_values_to_be_unique", "order_id"].reason == "key"
    assert found["column_values_to_be_in_set", "state"].kwargs["value_set"] == ["open", "paid", "sent"]
    assert found["column_values_to_match_regex", "plate"].kwargs["regex"] == "^[A-Z]{2}-[0-9]{3}$"
    assert found["column_values_to_not_be_null", "discount"].kwargs["mostly"] == 0.87
    assert found["column_values_to_be_between", "discount"].reason == "share"
    assert found["column_values_to_be_between", "hour"].kwargs["max_value"] == 23
    amount = found["column_values_to_be_between", "amount"].kwargs
    assert (amount["min_value"], amount["max_value"]) == (0.0, 84.0)
    assert found["column_values_to_be_between", "ordered_at"].kwargs == {
        "column": "ordered_at",
        "min_value": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    }
    (pair,) = [p for p in suggestion.proposals if p.reason == "pair"]
    assert (pair.kwargs["column_A"], pair.kwargs["column_B"]) == ("shipped_at", "ordered_at")
    ranks = [p.rank for p in suggestion.proposals]
    assert ranks == sorted(ranks, reverse=True)
    assert all(p.why("en") and p.why("fr") and p.why("en") != p.why("fr") for p in suggestion.proposals)
    assert suggestion.suite().expectations[0].notes == suggestion.proposals[0].why()


def test_no_value_of_people_enters_a_suite(suggestion):
    said = json_source(suggestion)
    assert "Exemple" not in said
    assert not any(column == "full_name" and "set" in name for name, column in asked(suggestion))


def test_nothing_is_suggested_that_says_nothing():
    found = suggest(pa.table({"flag": [True, False] * 20, "score": [i * 0.37 for i in range(40)]}))
    assert {p.reason for p in found.proposals} == {"columns", "filled", "range", "rows", "type"}
    assert suggest(pa.table({"v": pa.array([], pa.int64())})).beside_contract() == ()


@pytest.mark.parametrize(
    ("column", "change", "broken"),
    [
        ("order_id", lambda v: [v[0], *v[:-1]], "expect_column_values_to_be_unique"),
        ("order_id", lambda v: [None, *v[1:]], "expect_column_values_to_not_be_null"),
        ("state", lambda v: ["lost", *v[1:]], "expect_column_values_to_be_in_set"),
        ("plate", lambda v: ["AB 100", *v[1:]], "expect_column_values_to_match_regex"),
        ("amount", lambda v: [-5.0, *v[1:]], "expect_column_values_to_be_between"),
        ("hour", lambda v: [24, *v[1:]], "expect_column_values_to_be_between"),
        ("discount", lambda v: [None] * (N // 3) + v[N // 3 :], "expect_column_values_to_not_be_null"),
        (
            "shipped_at",
            lambda v: [START - dt.timedelta(days=1), *v[1:]],
            "expect_column_pair_values_a_to_be_greater_than_b",
        ),
        (
            "ordered_at",
            lambda v: [dt.datetime(1999, 1, 1, tzinfo=dt.UTC), *v[1:]],
            "expect_column_values_to_be_between",
        ),
        ("hour", lambda v: [str(x) for x in v], "expect_column_type_to_be"),
        ("note", lambda v: ["x" * 500, *v[1:]], "expect_column_value_lengths_to_be_between"),
    ],
)
def test_a_change_that_breaks_a_promise_is_noticed(suggestion, column, change, broken):
    values = orders().column(column).to_pylist()
    result = validate(orders(**{column: change(values)}), suggestion.suite())
    assert broken in [r.expectation_config.type for r in result.results if not r.success]


def test_a_table_that_lost_rows_or_a_column_is_noticed(suggestion):
    cut = validate(orders().slice(0, 100), suggestion.suite())
    assert not cut.success
    less = validate(orders().drop_columns(["state"]), suggestion.suite())
    assert "expect_table_columns_to_match_set" in [r.expectation_config.type for r in less.results if not r.success]


def test_what_the_first_look_missed_is_asked_of_most_values(monkeypatch):
    from ecluse.quality.profiling import sample

    monkeypatch.setattr(sample, "LOOKED_AT", 500)
    monkeypatch.setattr(sample, "FEW", 100)
    n = 5000
    # The rows looked at are every tenth.
    codes = [f"K{i:05}" if i not in (3, 17) else "odd one" for i in range(n)]
    found = asked(suggest(pa.table({"code": codes, "v": [1] * n})))
    proposal = found["column_values_to_match_regex", "code"]
    assert proposal.kwargs["mostly"] == 0.99
    assert "99" in proposal.why("en")


def test_a_compound_key_is_suggested_where_no_column_is_one():
    table = pa.table({"shop": [i % 20 for i in range(600)], "day": [i // 20 for i in range(600)]})
    (found,) = [p for p in suggest(table).proposals if p.reason == "compound"]
    assert found.kwargs["column_list"] == ["day", "shop"]


def test_the_key_of_another_table_is_what_a_column_may_hold():
    states = pa.table({"state": ["open", "paid", "sent", "back"], "label": ["o", "p", "s", "b"]})
    found = asked(suggest(orders(), beside={"states": states}))
    assert found["column_values_to_be_in_set", "state"].kwargs["value_set"] == ["back", "open", "paid", "sent"]
    assert "states.state" in found["column_values_to_be_in_set", "state"].why()


def test_a_project_gets_a_contract_and_a_suite_beside_it(suggestion, tmp_path):
    folder = tmp_path / "expectations" / "raw" / "orders"
    written = write_suggestion(suggestion, folder)
    assert [file.name for file in written] == ["__init__.py", "contract.py", "suite.py"]
    contract = executed((folder / "contract.py").read_text("utf-8"))["contract"]
    assert contract.key == ("order_id",)
    assert contract.column("full_name").classification == "personal"
    assert (contract.column("discount").nullable, contract.column("hour").nullable) == (True, False)
    source = (folder / "suite.py").read_text("utf-8")
    assert "ExpectColumnTypeToBe" not in source
    assert max(map(len, source.splitlines())) <= 120
    with pytest.raises(DefinitionError, match=r"contract\.py"):
        write_suggestion(suggestion, folder)


def test_a_suite_is_never_overwritten(suggestion, tmp_path):
    path = tmp_path / "suite.json"
    assert write_suggestion(suggestion, path) == [path]
    assert json.loads(path.read_text("utf-8"))["name"] == "raw.orders"
    with pytest.raises(DefinitionError, match=r"suite\.json"):
        write_suggestion(suggestion, path)
