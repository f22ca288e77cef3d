"""``ecluse compact``: what it says of files put together, and of nothing to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.orchestration import runner
from tests.step.chain import RAW, Chain


@pytest.fixture
def shop(tmp_path, monkeypatch):
    chain = Chain(tmp_path)
    chain.steps[RAW] = replace(chain.steps[RAW], update="append")
    for rows in ("3,5,a\n1,5,b\n", "2,5,c\n"):
        chain.make(RAW, rows)
    chain.close()
    monkeypatch.setattr(runner, "load_steps", lambda _: chain.steps)
    return tmp_path


def test_it_says_what_was_put_together_and_then_that_nothing_is(shop, call):
    would = call("--project", shop, "read", RAW, "--json").json
    shown = call("--project", shop, "compact", RAW)
    said = f"{RAW}: 2 files of 1 partitions put together into 1; the same 3 rows in the same order."
    assert (shown.code, shown.out.strip()) == (0, said)
    after = call("--project", shop, "read", RAW, "--json").json
    assert (after["rows"], after["snapshot_id"] != would["snapshot_id"]) == (would["rows"], True)
    assert (
        call("--project", shop, "compact", RAW).out.strip() == f"{RAW}: no partition has small files to put together."
    )
    again = call("--project", shop, "compact", RAW, "--json").json
    assert (again["dataset"], again["snapshot_id"], again["partitions"]) == (RAW, None, [])
    (status,) = call("--project", shop, "status", "--json").json
    assert (status["rows"], status["check"], status["stale"]) == (3, "held", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("raw.nothing",), RAW), (("clean.orders",), "ecluse run clean.orders"), ((RAW, "--file-mb", "0"), "--file-mb")],
)
def test_what_can_not_be_compacted_says_why(shop, call, arguments, said):
    shown = call("--project", shop, "compact", *arguments)
    assert (shown.code, said in shown.err) == (2, True)
