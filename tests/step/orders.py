"""A shop with one source and one dataset made from it, for tests of what becomes of its rows after a run."""

from __future__ import annotations

import uuid

import great_expectations as gx

from ecluse.ledger import signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest
from tests.step.updates import CHARTER, between

PEOPLE = CHARTER.replace("parties: [", "parties: [{id: steward, roles: [{name: data-steward, since: 2000-01-01}]}, ")
NAME = "clean.orders"


class Shop:
    """One source with an amount below zero, and a dataset made from it."""

    def __init__(self, folder, text="id,amount\n1,5.0\n2,-3.0\n3,7.0\n"):
        (folder / "charter.yaml").write_text(PEOPLE)
        self.file = folder / "orders.csv"
        self.file.write_text(text)
        project = Project.find(folder, "demo")
        with_keys = open_services(project)
        self.steward = signer_for(project, with_keys.charter, "steward")
        with_keys.close()
        self.services = open_services(project)
        self.source = StepDefinition("raw.orders", guard(), "source", lambda: Files(self.file))

        def orders(raw: Table) -> str:
            return "SELECT id, amount FROM raw"

        self.step = StepDefinition(
            NAME, guard(between("amount", min_value=0)), "asset", orders, (In("raw", "raw.orders"),), "row"
        )

    def run(self, step=None, **more):
        return run_step(step or self.step, StepRequest(str(uuid.uuid4()), **more), self.services)

    def collect(self):
        assert self.run(self.source).ending is Ending.PUBLISHED

    def later(self, branch, step=None):
        return self.run(step, candidate=branch)

    def ids(self, name=NAME):
        head = self.services.warehouse.head(name)
        if head is None:
            return []
        with self.services.engine() as engine:
            return [
                id for (id,) in engine.rows(f"SELECT id FROM {self.services.warehouse.scan(name, head)} ORDER BY 1")
            ]

    def branches(self):
        return [b.branch for b in self.services.warehouse.candidates()]


def guard(*expectations, **more):
    suite = gx.ExpectationSuite("orders", expectations=list(expectations))
    columns = [Column("id", "BIGINT"), Column("amount", "DOUBLE")]
    return Guard(Contract(columns=columns, owner="shop", licence="CC0-1.0", **{"key": ["id"], **more}), lambda: suite)
