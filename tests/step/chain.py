"""A shop whose orders go from a file through a cleaned dataset into a product: real steps on real tables."""

from __future__ import annotations

import uuid
from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe

from ecluse.ledger import signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read]}
  - {id: p-law, roles: [{name: counsel, since: 2020-01-01}]}
  - {id: p-data, roles: [{name: steward, since: 2020-01-01}]}
"""
RAW, CLEAN, PRODUCT = NAMES = ("raw.orders", "clean.orders", "products.orders")


class Chain:
    """``amount`` below 0 breaks the promise of the cleaned dataset and the product: such rows are quarantined."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "charter.yaml").write_text(CHARTER)
        self.folder = folder
        columns = (
            Column("id", "BIGINT", classification="internal"),
            Column("amount", "BIGINT", classification="public"),
            Column("mail", "VARCHAR", classification="personal"),
        )
        contract = Contract(columns=columns, key=("id",), owner="shop", licence="CC0-1.0")
        strict = replace(contract, on_failure="quarantine", quarantine_at_most=0.9)

        def collected() -> Files:
            return Files(folder / "orders.csv")

        def cleaned(source: Table) -> str:
            return "SELECT id, amount, mail FROM source"

        self.suite = suite_of(0)
        made = [
            StepDefinition(n, Guard(strict, lambda: self.suite), "asset", cleaned, (In("source", before),), "row")
            for n, before in ((CLEAN, RAW), (PRODUCT, CLEAN))
        ]
        source = StepDefinition(RAW, Guard(contract, lambda: gx.ExpectationSuite("r")), "source", collected)
        self.steps = {step.name: step for step in (source, *made)}
        self._open()

    def _open(self):
        self.services = open_services(Project.find(self.folder, "demo"))

    def person(self, party):
        """The key of a person."""
        return signer_for(self.services.project, self.services.charter, party)

    def reopen(self, charter=None):
        if charter is not None:
            (self.folder / "charter.yaml").write_text(charter)
        self.services.close()
        self._open()

    def make(self, dataset, rows=None):
        """Carry out one step, a source on these rows; the snapshot that is published then."""
        if rows is not None:
            (self.folder / "orders.csv").write_text("id,amount,mail\n" + rows)
        result = run_step(self.steps[dataset], StepRequest(str(uuid.uuid4())), self.services)
        assert result.published, result.blocks
        return self.services.warehouse.head(dataset)

    def all(self, rows):
        """Carry out every step; what is published then, by dataset."""
        return {dataset: self.make(dataset, rows if dataset == RAW else None) for dataset in NAMES}

    def ids(self, dataset, snapshot=None):
        warehouse = self.services.warehouse
        source = warehouse.scan(dataset, snapshot or warehouse.head(dataset))
        with self.services.engine() as engine:
            return [row[0] for row in engine.rows(f"SELECT id FROM {source} ORDER BY id")]

    def quarantined(self, dataset):
        return self.ids(quarantine_name(dataset))

    def known(self, dataset):
        """The snapshots that are not forgotten."""
        return {*self.services.warehouse.snapshots(dataset)}

    def close(self):
        self.services.close()


def suite_of(least):
    bound = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=least, severity="critical")
    return gx.ExpectationSuite("clean", expectations=[bound])
