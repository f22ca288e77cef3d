"""A shop whose datasets are updated in each mode: steps that are given their rows, on real tables."""

from __future__ import annotations

import uuid
from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe
import pyarrow as pa

from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard, StepDefinition
from ecluse.project import Project
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import StepRequest

CHARTER = """
project: shop
problem: Who lives where?
phase: trial
phases: [trial]
purposes: [{id: letters, description: write letters}]
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence, release, read]}]
"""
TYPES = {"BIGINT": pa.int64(), "VARCHAR": pa.string(), "BOOLEAN": pa.bool_()}


class Dataset:
    """One dataset of a project, made from the rows that it is given."""

    def __init__(self, folder, columns, *, key, name="clean.rows", expectations=(), contract=None, **declared):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "charter.yaml").exists():
            (folder / "charter.yaml").write_text(CHARTER)
        self.services = open_services(Project.find(folder, "demo"))
        self.columns = columns
        suite = gx.ExpectationSuite("rows", expectations=list(expectations))
        promised = Contract(
            columns=tuple(Column(n, t) for n, t in columns.items()),
            key=key,
            owner="shop",
            licence="CC0-1.0",
            **(contract or {}),
        )
        own = ("valid_to", "is_current") if declared.get("update") == "history" else ()
        given = {n: t for n, t in columns.items() if n not in own}
        self.schema = pa.schema([(n, TYPES[t]) for n, t in given.items()])
        self.rows = []

        def compute():
            return pa.Table.from_pylist([dict(zip(given, row, strict=True)) for row in self.rows], self.schema)

        self.step = StepDefinition(name, Guard(promised, lambda: suite), "asset", compute, **declared)

    def give(self, rows, *, force=False, run=None, partition=None, **declared):
        """Carry out the step on these rows."""
        self.rows = list(rows)
        step = replace(self.step, **declared) if declared else self.step
        request = StepRequest(run or str(uuid.uuid4()), partition=partition, settings=str(self.rows), force=force)
        return run_step(step, request, self.services)

    def later(self, branch, **declared):
        """Publish what an earlier call computed and was blocked."""
        step = replace(self.step, **declared)
        return run_step(step, StepRequest(str(uuid.uuid4()), candidate=branch), self.services)

    def branches(self):
        """The candidates that are left."""
        return [branch.branch for branch in self.services.warehouse.candidates()]

    def published(self):
        """All rows that are published, in the order of their values."""
        warehouse, name = self.services.warehouse, self.step.name
        head = warehouse.head(name)
        if head is None:
            return []
        chosen = ", ".join(f'"{n}"' for n in self.columns)
        with self.services.engine() as engine:
            return engine.rows(f"SELECT {chosen} FROM {warehouse.scan(name, head)} ORDER BY ALL")

    def files(self):
        """The published data files, by path, with their hashes as they are on the disk."""
        warehouse, name = self.services.warehouse, self.step.name
        files = warehouse.files(name, warehouse.head(name))
        return {f.path: warehouse.objects.digest(f.path) for f in files}

    def close(self):
        self.services.close()


def between(column, **limits):
    return gxe.ExpectColumnValuesToBeBetween(column=column, severity="critical", **limits)
