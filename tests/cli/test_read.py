"""``ecluse read``: what was published, for those who make it."""

from __future__ import annotations

import pytest

from ecluse.cli.init import scaffold
from tests.cli.conftest import call_apart


def test_rows_are_shown_with_when_they_were_published_and_what_is_left_out(built, call):
    shown = call("--project", built, "read", "clean.orders", "--columns", "order_id,amount", "--where", "amount > 100")
    assert shown.code == 0, shown.err
    assert "clean.orders, published 20" in shown.out
    assert ("112.0" in shown.out, "24.9" in shown.out) == (True, False)
    assert "Not shown: customer (personal)" in shown.out


def test_a_release_is_read_as_data_for_machines(built, call):
    found = call("--project", built, "read", "clean.orders", "--as-of", "1.0.0", "--limit", "2", "--json").json
    assert (found["version"], found["count"], len(found["rows"]), found["to"]) == ("1.0.0", 2, 2, None)
    assert found["columns"] == ["order_id", "ordered_at", "day", "amount"]
    assert found["rows"][0] == {"order_id": 1001, "ordered_at": "2024-03-01T08:12:00+00:00", "day": "2024-03-01", "amount": 24.9}  # fmt: skip
    assert found["snapshot_id"].isdigit()
    again = call("--project", built, "read", "clean.orders", "--as-of", found["snapshot_id"], "--json").json
    assert (again["version"], again["count"]) == (None, 9)


def test_rows_go_to_a_file(built, call, tmp_path):
    to = tmp_path / "orders.csv"
    shown = call("--project", built, "read", "clean.orders", "--to", to)
    assert (shown.code, shown.out.splitlines()[0]) == (0, f"{to}: 9 rows.")
    assert len(to.read_text().splitlines()) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("clean.nothing",), "ecluse run clean.nothing"),
        (("clean.orders", "--as-of", "yesterday"), "2026-01-31"),
        (("clean.orders", "--as-of", "2001-01-01"), "--as-of"),
        (("clean.orders", "--columns", "customer"), "ecluse.load"),
        (("clean.orders", "--where", "order_id IN (SELECT 1)"), "--where"),
        (("clean.orders", "--to", "orders.xlsx"), ".parquet"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_can_not_be_read_says_what_can(built, call, arguments, said, lang):
    shown = call("--project", built, "--lang", lang, "read", *arguments)
    assert (shown.code, said in shown.err, shown.out) == (2, True, "")


def test_without_the_key_of_who_publishes_nothing_is_read(tmp_path):
    scaffold(tmp_path / "orders")
    project = tmp_path / "orders" / "pyproject.toml"
    project.write_text(project.read_text() + '\n[tool.ecluse.profiles.prod]\nenvironment = "prod"\n')
    shown = call_apart(tmp_path / "orders", "--profile", "prod", "read", "clean.orders")
    assert (shown.code, shown.out) == (2, "")
