"""Versions from the command line: compare two, go back to one, and delete what nothing needs any more."""

from __future__ import annotations

import os
import uuid

import great_expectations as gx
import pytest
from sqlalchemy import update

from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files, Guard, StepDefinition
from ecluse.project import Project
from ecluse.step.releases import create_release
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest
from ecluse.store.schema import leases

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence, release, read]}, {id: ana}]
"""
SECRET = "ann@example.org"
ROWS = {"1.0.0": f"1,{SECRET}\n2,b\n", "2.0.0": "1,changed\n3,c\n4,d\n"}


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "charter.yaml").write_text(CHARTER)
    columns = (Column("id", "BIGINT"), Column("mail", "VARCHAR", classification="personal"))
    promised = Contract(columns=columns, key=("id",), owner="shop", licence="CC0-1.0")

    def collected() -> Files:
        return Files(tmp_path / "orders.csv")

    step = StepDefinition("raw.orders", Guard(promised, lambda: gx.ExpectationSuite("r")), "source", collected)
    services = open_services(Project.find(tmp_path, "demo"))
    for version, rows in ROWS.items():
        (tmp_path / "orders.csv").write_text("id,mail\n" + rows)
        run_step(step, StepRequest(str(uuid.uuid4())), services)
        create_release(services, ["raw.orders"], version)
    services.close()
    return tmp_path


def test_a_version_is_a_name_that_commands_and_tags_can_hold(shop, call):
    for version in ("../2", "", "2 0", "v;ls", "2.", "é", "2\n", "2" * 65):
        refused = call("--project", shop, "release", "create", "raw.orders", "--version", version, "--json")
        assert (refused.code, refused.json["key"]) == (2, "step.release_name"), version


def test_a_difference_is_counted_by_the_contracts_key_and_shows_no_value(shop, call):
    shown = call("--project", shop, "release", "diff", "raw.orders", "1.0.0", "2.0.0", "--json")
    found = shown.json["difference"]
    assert (found["key"], found["rows_before"], found["rows_after"]) == (["id"], 2, 3)
    assert (found["added"], found["removed"], found["changed"], found["columns_changed"]) == (2, 1, 1, {"mail": 1})
    assert shown.json["same"] is False
    table = call("--project", shop, "release", "diff", "raw.orders", "1.0.0", "2.0.0").out
    assert "other values" in table
    assert SECRET not in table + shown.out


def test_what_was_observed_of_both_stands_beside_it(shop, call):
    shown = call("--project", shop, "release", "diff", "raw.orders", "1.0.0", "2.0.0")
    (line,) = (line for line in shown.out.splitlines() if "unique__id" in line)
    assert ("0 of 2 rows fail" in line, "0 of 3 rows fail" in line) == (True, True)
    found = call("--project", shop, "release", "diff", "raw.orders", "1.0.0", "2.0.0", "--json").json["metrics"]
    assert (found["before"]["quarantined"], found["after"]["kpis"]) == (0, {})
    assert {c["outcome"] for c in found["after"]["checks"].values()} == {"held"}


def test_whole_rows_can_be_compared(shop, call):
    found = call("--project", shop, "release", "diff", "raw.orders", "1.0.0", "2.0.0", "--whole-rows", "--json").json
    assert (found["difference"]["added"], found["difference"]["removed"]) == (3, 2)


def test_a_version_does_not_differ_from_itself(shop, call):
    shown = call("--project", shop, "release", "diff", "raw.orders", "2.0.0", "2.0.0")
    assert "both versions hold the same" in shown.out


@pytest.mark.parametrize(
    "verb", [("diff", "raw.orders", "1.0.0", "9"), ("rollback", "raw.orders", "9", "--as", "ana", "--reason", "x")]
)
def test_an_unknown_version_says_where_to_look(shop, call, verb):
    shown = call("--project", shop, "release", *verb)
    assert (shown.code, "ecluse release list raw.orders" in shown.err) == (2, True)


def test_a_rollback_says_what_moved_and_can_be_undone(shop, call):
    (moved,) = call(
        "--project", shop, "release", "rollback", "raw.orders", "1.0.0", "--as", "ana", "--reason", "too many", "--json"
    ).json
    (status,) = call("--project", shop, "status", "--json").json
    assert (moved["dataset"], status["rows"], status["version"]) == ("raw.orders", 2, "2.0.0")
    assert call("--project", shop, "log", "verify").code == 0
    shown = call(
        "--project", shop, "release", "rollback", "raw.orders", "2.0.0", "--as", "ana", "--reason", "they were right"
    )
    assert f"from snapshot {moved['after']} to {moved['before']}" in shown.out
    assert call("--project", shop, "status", "--json").json[0]["rows"] == 3
    again = call(
        "--project", shop, "release", "rollback", "raw.orders", "2.0.0", "--as", "ana", "--reason", "to be sure"
    )
    assert "nothing was moved" in again.out


def test_a_rollback_wants_a_reason(shop, call):
    assert call("--project", shop, "release", "rollback", "raw.orders", "1.0.0", "--as", "ana").code == 2
    shown = call("--project", shop, "release", "rollback", "raw.orders", "1.0.0", "--as", "ana", "--reason", " ")
    assert (shown.code, "--reason" in shown.err) == (2, True)


@pytest.mark.parametrize("narrowed", [(), ("raw.orders",)], ids=["everything", "one dataset"])
def test_a_sweep_reports_files_and_bytes_and_deletes_them(shop, call, narrowed):
    left = shop / ".ecluse/demo/warehouse/raw/orders/data/partition=all/dead-1-0a/data_0000.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"12345")
    assert call("--project", shop, "sweep", *narrowed, "--json").json["files"] == 0
    os.utime(left, (0, 0))
    would = call("--project", shop, "sweep", *narrowed, "--dry-run")
    assert (would.out.strip(), left.exists()) == (
        "Candidates that were given up: 0. 1 files would be deleted, 5 bytes.",
        True,
    )
    found = call("--project", shop, "sweep", *narrowed, "--json").json
    assert (found["files"], found["bytes"], found["dry_run"]) == (1, 5, False)
    assert not left.exists()
    assert call("--project", shop, "sweep", "--expire", "90d").out.startswith("0 snapshots forgotten")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--older-than", "0d"), "36h"),
        (("--older-than", "5m"), "36h"),
        (("--expire", "soon"), "36h"),
        (("raw.nothing",), "raw.orders"),
    ],
)
def test_a_sweep_that_can_not_be_meant_is_refused(shop, call, arguments, said):
    shown = call("--project", shop, "sweep", *arguments)
    assert (shown.code, said in shown.err) == (2, True)


@pytest.mark.parametrize("narrowed", [(), ("raw.orders",)], ids=["everything", "one dataset"])
def test_a_candidate_that_was_given_up_long_ago_is_deleted(shop, call, narrowed):
    services = open_services(Project.find(shop, "demo"))
    columns = {"id": "BIGINT", "mail": "VARCHAR", "_origin": "VARCHAR"}
    candidate = services.warehouse.begin("raw.orders", columns, partition=None, run_id="dead", attempt=1)
    services.warehouse.release(candidate)
    assert call("--project", shop, "sweep", *narrowed, "--json").json["candidates"] == []
    with services.database.transaction() as connection:
        connection.execute(update(leases).values(expires="2001-01-01T00:00:00.000000+00:00"))
    for more in (("--dry-run",), ()):
        found = call("--project", shop, "sweep", *narrowed, "--json", *more).json
        assert found["candidates"] == [candidate.branch]
    assert services.warehouse.candidates() == []
    services.close()
