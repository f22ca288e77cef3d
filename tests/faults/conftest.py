"""A small shop: one source, one product, one released version that everybody approved."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

import ecluse
from ecluse.ledger import signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.releases import create_release, decide
from ecluse.step.run import run_step
from ecluse.step.services import Services, open_services
from ecluse.step.state import Ending, StepRequest

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes:
  - {id: returns, description: predict returns}
  - {id: advertising, description: sell more, allowed: false}
gates:
  - phase: trial
    criteria: [{id: checks, measure: checks.broken, operator: "==", value: 0}]
    approvals: [{question: data-valid, role: data-steward}]
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read]}
  - {id: steward, roles: [{name: data-steward, since: 2000-01-01}]}
  - {id: builder, roles: [{name: model-builder, since: 2000-01-01}]}
grants:
  - {role: model-builder, datasets: ["products.*"], purposes: [returns], columns: {internal: clear}}
"""

CONTRACT = Contract(
    columns=[
        Column("id", "BIGINT", classification="internal"),
        Column("amount", "DOUBLE", classification="internal"),
    ],
    key=["id"],
    owner="shop",
    licence="CC0-1.0",
)
GOOD = "id,amount\n1,5.0\n2,7.5\n"


def suite(*expectations):
    found = gx.ExpectationSuite("orders", expectations=list(expectations))
    return Guard(CONTRACT, lambda: found)


def between():
    return gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=1000, severity="critical")


@dataclass
class Shop:
    project: Project
    services: Services
    source: StepDefinition
    product: StepDefinition

    suite = staticmethod(suite)

    @property
    def file(self) -> Path:
        return self.project.root / "orders.csv"

    def run(self, step: StepDefinition, **more):
        return run_step(step, StepRequest(str(uuid.uuid4()), **more), self.services)

    def published(self) -> dict[str, tuple]:
        """Everything that a reader of published data could see."""
        found = {}
        with self.services.engine() as engine:
            for dataset in self.services.warehouse.datasets():
                head = self.services.warehouse.head(dataset)
                rows = (
                    engine.rows(f"SELECT * FROM {self.services.warehouse.scan(dataset, head)} ORDER BY ALL")
                    if head
                    else None
                )
                found[dataset] = (head, rows)
        return found

    def load(self, **more):
        return ecluse.load("products.orders", **{"purpose": "returns", "project": self.project.root, **more})

    def approve(self, manifest, days=30):
        signer = signer_for(self.project, self.services.charter, "steward")
        until = datetime.now(UTC) + timedelta(days=days)
        decide(self.services, signer, manifest, "approved", question="data-valid", reason="looked", expires=until)

    def with_sql(self, sql: str, **more) -> StepDefinition:
        def orders(raw: Table) -> str:
            return sql

        return replace(self.product, compute=orders, **more)


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """The shop before anything was published."""
    (tmp_path / "charter.yaml").write_text(CHARTER)
    (tmp_path / "orders.csv").write_text(GOOD)
    monkeypatch.setenv("ECLUSE_READER", "builder")
    project = Project.find(tmp_path, "demo")
    services = open_services(project)

    def collected() -> Files:
        return Files(tmp_path / "orders.csv")

    def orders(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    source = StepDefinition("raw.orders", suite(), "source", collected)
    product = StepDefinition("products.orders", suite(between()), "asset", orders, (In("raw", "raw.orders"),), "row")
    yield Shop(project, services, source, product)
    services.close()


@pytest.fixture
def shop(bare):
    assert bare.run(bare.source).ending is Ending.PUBLISHED
    assert bare.run(bare.product).ending is Ending.PUBLISHED
    return bare


@pytest.fixture
def released(shop):
    manifest = create_release(shop.services, ["products.orders"], "1.0.0")
    shop.approve(manifest)
    assert shop.load().arrow().num_rows == 2
    return manifest
