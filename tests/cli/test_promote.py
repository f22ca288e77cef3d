"""``ecluse promote``: a release of staging goes to prod, and says there where it came from."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.ledger import new_key, signer_for
from ecluse.orchestration.runner import load_steps
from ecluse.project import Project
from ecluse.step.releases import create_release, decide
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest

NAME = "products.orders"
CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{{id: returns, description: predict returns}}]
gates: [{{phase: trial, approvals: [{{question: data-valid, role: data-steward}}]}}]
parties:
  - {{id: pipeline, attests: [run, publication, evidence, release], keys: [{pipeline}]}}
  - {{id: steward, roles: [{{name: data-steward, since: 2000-01-01}}], keys: [{steward}]}}
"""
SETTINGS = """
[tool.ecluse]
name = "shop"
profile = "staging"
[tool.ecluse.profiles.staging]
environment = "staging"
[tool.ecluse.profiles.prod]
environment = "prod"
"""
DEFINITIONS = """
from pathlib import Path

import great_expectations as gx

import ecluse
from ecluse.model.step import Guard

contract = ecluse.Contract(columns=[ecluse.Column("id", "BIGINT")], key=["id"], owner="shop", licence="CC0-1.0")


@ecluse.source("products.orders", guard=Guard(contract, lambda: gx.ExpectationSuite("orders")))
def orders() -> ecluse.Files:
    return ecluse.Files(Path(__file__).parents[1] / "orders.csv")


defs = ecluse.definitions(assets=[orders])
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project whose release in staging nobody approved yet, and a way to approve it."""
    for name in ("ECLUSE_PROJECT", "ECLUSE_PROFILE"):
        # NOTE: set first, so that what the code sets is taken back at the end.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "path", [*sys.path])
    others = [name for name in sys.modules if name.partition(".")[0] == "pipelines"]
    for name in {*others, "pipelines", "pipelines.definitions"}:
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    keys = {}
    for party in ("pipeline", "steward"):
        pairs = [new_key(tmp_path / f".ecluse/{profile}/keys", party) for profile in ("staging", "prod")]
        keys[party] = ", ".join(f'{{public: "{pair.public}", since: 2020-01-01}}' for pair in pairs)
    (tmp_path / "charter.yaml").write_text(CHARTER.format(**keys))
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "orders.csv").write_text("id\n1\n2\n")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/__init__.py").touch()
    (tmp_path / "pipelines/definitions.py").write_text(DEFINITIONS)
    project = Project.find(tmp_path, "staging")
    services = open_services(project)
    run_step(load_steps(project)[NAME], StepRequest(str(uuid.uuid4())), services)
    manifest = create_release(services, [NAME], "1.0.0")

    def approve():
        signer = signer_for(project, services.charter, "steward")
        until = datetime.now(UTC) + timedelta(days=30)
        decide(services, signer, manifest, "approved", question="data-valid", reason="counted", expires=until)
        return manifest

    yield tmp_path, approve
    services.close()


def test_a_release_is_promoted_once_it_is_approved_and_shows_where_it_came_from(shop, call):
    folder, approve = shop
    staging, prod = ("--project", folder, "--profile", "staging"), ("--project", folder, "--profile", "prod")
    refused = call(*staging, "promote", NAME, "--to", "prod", "--json")
    assert (refused.code, [r["key"] for r in refused.json["reasons"]]) == (3, ["approval_missing"])
    before = approve()
    done = call(*staging, "promote", NAME, "--to", "prod")
    assert done.code == 0, done.out + done.err
    assert f"{NAME}: published, 2 rows, 0 quarantined." in done.out
    assert f"{NAME}@1.0.0 of staging is released in prod too, and closed there" in done.out
    again = call(*staging, "promote", NAME, "--to", "prod", "--json")
    assert (again.code, again.json["already"], again.json["steps"]) == (0, True, [])
    assert again.json["promoted_from"]["manifest"] == before.digest
    assert "nothing was done" in call(*staging, "promote", NAME, "--to", "prod").out
    shown = call(*prod, "release", "show", NAME)
    assert f"Promoted from shop in staging, manifest {before.digest}" in shown.out
    assert call(*prod, "release", "show", NAME, "--json").json["promoted_from"]["environment"] == "staging"
    assert call(*prod, "log", "verify").code == 0
    events = [file.read_text("utf-8") for file in (folder / "lineage/events").rglob("*") if file.is_file()]
    assert any(f"shop/staging/{NAME}@1.0.0/" in text for text in events)


def test_the_next_environment_is_a_profile_of_the_project(shop, call):
    folder, _ = shop
    unknown = call("--project", folder, "promote", NAME, "--to", "moon")
    assert (unknown.code, "prod, staging" in unknown.err) == (2, True)
    same = call("--project", folder, "promote", NAME, "--to", "staging")
    assert (same.code, "environment staging" in same.err) == (2, True)
