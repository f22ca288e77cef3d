"""A small shop with two deliveries, one unreadable record, one faulty row, a release, an approval and a read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

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
  - {id: returns, description: predict returns, datasets: [products.orders]}
  - {id: advertising, description: sell more, allowed: false}
gates:
  - phase: trial
    criteria:
      - {id: checks, measure: checks.broken, operator: "==", value: 0, description: No promise is broken}
      - {id: few, measure: quarantine.share, operator: "<=", value: 0.5}
    approvals: [{question: data-valid, role: data-steward}]
kpis:
  - {id: returned, metric: share that comes back, baseline: 0.2, target: 0.1, by: 2099-01-01, better: lower}
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read]}
  - {id: steward, roles: [{name: data-steward, since: 2000-01-01}]}
  - {id: builder, roles: [{name: model-builder, since: 2000-01-01}]}
grants:
  - {role: model-builder, datasets: ["products.*"], purposes: [returns], columns: {internal: clear}}
"""
COLUMNS = [
    Column(name, type_, classification="internal")
    for name, type_ in (("id", "BIGINT"), ("amount", "DOUBLE"), ("customer", "VARCHAR"))
]
RAW = Contract(
    columns=COLUMNS, owner="shop", licence="CC-BY-4.0", legal_basis="contract with the customer", on_failure="quarantine",
    quarantine_at_most=0.5,
)  # fmt: skip
ORDERS = Contract(
    columns=COLUMNS, key=["id"], owner="shop", licence="CC-BY-4.0", on_failure="quarantine", quarantine_at_most=0.5
)
SECRET = "Zacharias-Secretname"


def guard(contract, *expectations):
    suite = gx.ExpectationSuite("orders", expectations=list(expectations))
    return Guard(contract, lambda: suite)


@dataclass
class Shop:
    project: Project
    services: Services
    manifest: object = None
    moments: dict[str, datetime] = field(default_factory=dict)

    def run(self, step):
        assert run_step(step, StepRequest(str(uuid.uuid4())), self.services).ending is Ending.PUBLISHED

    def mark(self, name):
        self.moments[name] = datetime.now(UTC)

    def approve(self, days=30, reason="looked at <b>every</b> line"):
        signer = signer_for(self.project, self.services.charter, "steward")
        until = datetime.now(UTC) + timedelta(days=days)
        decide(self.services, signer, self.manifest, "approved", question="data-valid", reason=reason, expires=until)

    def deliver(self, text):
        (self.project.root / "orders.csv").write_text(text)

        def collected() -> Files:
            return Files(self.project.root / "orders.csv", origin="post:orders.csv")

        def orders(raw: Table) -> str:
            return "SELECT id, amount, customer FROM raw"

        between = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=1000, severity="critical")
        self.run(StepDefinition("raw.orders", guard(RAW), "source", collected))
        self.run(
            StepDefinition(
                "products.orders", guard(ORDERS, between), "asset", orders, (In("raw", "raw.orders"),), "row",
                description="Orders & returns",
            )
        )  # fmt: skip


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("report") / "shop"
    root.mkdir()
    (root / "charter.yaml").write_text(CHARTER)
    project = Project.find(root, "demo")
    made = Shop(project, open_services(project))
    made.mark("before everything")
    made.deliver(f"id,amount,customer\n1,5.0,{SECRET}\n2,-7.5,x\n3,1\n4,9,y\n")
    made.mark("before the release")
    made.manifest = create_release(made.services, ["products.orders"], "1.0.0")
    made.mark("before the approval")
    made.approve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECLUSE_READER", "builder")
        assert ecluse.load("products.orders", purpose="returns", project=root).arrow().num_rows == 2
    made.mark("approved")
    # What comes later belongs to no release yet, and must not show on the sheet of this one.
    made.deliver("id,amount,customer\n7,1.0,z\n")
    yield made
    made.services.close()
