"""``ecluse candidate`` on a dataset that is merged: what a blocked batch would change, and its publication."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.orchestration import runner
from ecluse.step.state import Ending
from tests.step.orders import NAME, Shop, guard
from tests.step.updates import between

MERGE = {"update": "merge", "newest_by": ("amount",)}


@pytest.fixture
def blocked(tmp_path, monkeypatch):
    """Three rows that are published, and one of two newer ones below zero; the candidate's branch, and the shop."""
    shop = Shop(tmp_path, "id,amount\n1,5.0\n2,3.0\n3,7.0\n")
    shop.collect()
    strict = replace(shop.step, **MERGE)
    assert shop.run(strict).ending is Ending.PUBLISHED
    shop.file.write_text("id,amount\n2,4.0\n3,6.0\n4,-1.0\n")
    shop.collect()
    branch = shop.run(strict).branch
    monkeypatch.setattr(runner, "load_steps", lambda _: {NAME: strict})
    yield tmp_path, branch, shop
    shop.services.close()


def test_a_preview_and_the_candidate_itself_count_what_changes_by_key(blocked, call):
    folder, branch, _ = blocked
    found = call("--project", folder, "candidate", "diff", branch, "--json").json["difference"]
    assert (found["key"], found["added"], found["removed"], found["changed"]) == (["id"], 1, 0, 1)
    shown = call("--project", folder, "candidate", "show", branch)
    assert "the dataset would have 4 rows" in shown.out
    assert "It adds 1 rows, removes 0 and changes 1, by the key id." in shown.out
    said = call("--project", folder, "candidate", "show", branch, "--json").json
    assert (said["difference"], said["moved"]) == (found, False)


def test_it_is_published_once_its_promise_allows_it(blocked, call, monkeypatch):
    folder, branch, shop = blocked
    refused = call("--project", folder, "candidate", "publish", branch)
    assert (refused.code, "BLOCKED" in refused.out) == (2, True), refused.err
    wider = replace(shop.step, **MERGE, guard=guard(between("amount", min_value=-5)))
    monkeypatch.setattr(runner, "load_steps", lambda _: {NAME: wider})
    published = call("--project", folder, "candidate", "publish", branch, "--json")
    assert (published.code, published.json["ending"]) == (0, "published"), published.err
    assert shop.ids() == [1, 2, 3, 4]
    assert call("--project", folder, "candidate", "list", "--json").json == []


def test_one_whose_partition_was_published_since_says_to_run_it_again(blocked, call, monkeypatch):
    folder, _, shop = blocked
    parts = replace(shop.step, update="partition", partition_by="'all-' || (id % 2)")
    branch = shop.run(parts).branch
    shop.file.write_text("id,amount\n4,9.0\n")
    shop.collect()
    assert shop.run(parts).ending is Ending.PUBLISHED
    monkeypatch.setattr(runner, "load_steps", lambda _: {NAME: parts})
    shown = call("--project", folder, "candidate", "show", branch)
    assert "was published anew since the candidate was made" in shown.out
    refused = call("--project", folder, "candidate", "publish", branch)
    assert (refused.code, f"ecluse run {NAME}" in refused.err) == (2, True), refused.err
    assert call("--project", folder, "candidate", "publish", branch, "--json").code == 2
    assert branch in shop.branches()
