"""``ecluse suggest`` from outside: what it writes is what ``validate`` runs and what a project loads."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.parquet"
    states = ["open", "paid"] * 20
    pq.write_table(pa.table({"id": range(40), "state": states, "size": [None, *range(39)]}), path)
    return path


def test_suggestions_are_a_table_for_people(orders, call):
    shown = call("suggest", orders)
    assert shown.code == 0
    assert "no value of id appears twice" in shown.out
    assert "all of them hold on the 40 rows" in shown.out


def test_what_is_written_as_json_is_what_validate_runs(orders, call, tmp_path):
    suite = tmp_path / "suite.json"
    made = call("suggest", orders, "-o", suite, "--lang", "fr", "--json")
    assert made.code == 0
    assert made.json["written"] == [str(suite)]
    assert "distingue" in suite.read_text("utf-8")
    assert call("validate", suite, orders).code == 0
    again = call("suggest", orders, "-o", suite)
    assert again.code == 2
    assert "is there already" in again.err


def test_a_folder_under_expectations_names_the_dataset(orders, call, tmp_path):
    folder = tmp_path / "expectations" / "raw" / "orders"
    assert call("suggest", orders, "-o", folder).code == 0
    assert '"raw.orders"' in (folder / "suite.py").read_text("utf-8")


def test_another_table_says_what_a_column_may_hold(orders, call, tmp_path):
    states = tmp_path / "states.csv"
    states.write_text("state,label\nopen,o\npaid,p\nsent,s\n")
    found = call("suggest", orders, "--with", states, "--json").json["suite"]["expectations"]
    (one,) = [e for e in found if e["type"] == "expect_column_values_to_be_in_set"]
    assert one["kwargs"]["value_set"] == ["open", "paid", "sent"]
