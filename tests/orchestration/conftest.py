"""A shop whose orders arrive month by month: a real code location on a real project."""

import dataclasses
from pathlib import Path

import dagster as dg
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pytest

import ecluse
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Guard
from ecluse.project import Project
from ecluse.step.services import open_services

CHARTER = """
project: shop
problem: none
phase: trial
phases: [trial]
purposes: []
gates: [{phase: trial}]
parties:
  - {id: pipeline, roles: [{name: pipeline, since: 2000-01-01}], attests: [run, publication, evidence, release]}
"""
months = dg.StaticPartitionsDefinition(["2024-01", "2024-02"])
COLUMNS = [Column("id", "BIGINT"), Column("amount", "DOUBLE"), Column("who", "VARCHAR", classification="personal")]


def guard(*expectations, columns=COLUMNS, **settings):
    found = gx.ExpectationSuite("shop", expectations=list(expectations))
    contract = Contract(columns=columns, **{"key": ["id"], "owner": "shop", "licence": "CC0-1.0", **settings})
    return Guard(contract, lambda: found)


def at_most(value=100, **more):
    return gxe.ExpectColumnValuesToBeBetween(column="amount", max_value=value, severity="critical", **more)


@dataclasses.dataclass
class Location:
    """A code location and the instance that its runs are recorded on."""

    project: Project
    instance: dg.DagsterInstance
    defs: dg.Definitions = None

    def holds(self, *assets, **more):
        resource = ecluse.orchestration.EcluseResource(project=str(self.project.root))
        more["resources"] = {"ecluse": resource, **more.get("resources", {})}
        self.defs = ecluse.definitions(assets=assets, **more)
        return self

    def run(self, *names, partition=None, **more):
        keys = [dg.AssetKey(name.split(".")) for name in names] or None
        job = self.defs.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=keys, partition_key=partition, raise_on_error=False, **more
        )

    def write(self, month, text):
        self.project.root.joinpath(f"orders-{month}.csv").write_text("id,amount,who\n" + text)

    def rows(self, dataset, columns="*"):
        """What is published of a dataset."""
        services = open_services(self.project)
        try:
            head = services.warehouse.head(dataset) if services.warehouse.exists(dataset) else None
            if head is None:
                return None
            with services.engine() as engine:
                return engine.rows(f"SELECT {columns} FROM {services.warehouse.scan(dataset, head)} ORDER BY ALL")
        finally:
            services.close()


@pytest.fixture
def project(tmp_path):
    tmp_path.joinpath("charter.yaml").write_text(CHARTER)
    tmp_path.joinpath("store").mkdir()
    return Project.find(tmp_path, "demo")


@pytest.fixture
def location(project):
    with dg.DagsterInstance.ephemeral() as instance:
        yield Location(project, instance)


def source(location, **more):
    @ecluse.source("raw.orders", **{"guard": guard(), "partitions_def": months, **more})
    def collected(partition: str) -> ecluse.Files:
        return ecluse.Files(Path(location.project.root) / f"orders-{partition}.csv")

    return collected


def clean(sql="SELECT id, amount, who FROM raw", guarded=None, **more):
    settings = {"ins": {"raw": "raw.orders"}, "grain": "row", "partitions_def": months, **more}

    @ecluse.asset("clean.orders", guard=guarded or guard(at_most()), **settings)
    def orders(raw: ecluse.Table) -> str:
        return sql

    return orders


def answers(result):
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def made(result):
    return [".".join(e.asset_key.path) for e in result.get_asset_materialization_events()]


def failure(result):
    """What Dagster shows of the first failure, causes included."""
    data = result.get_step_failure_events()[0].step_failure_data
    return (data.user_failure_data.description if data.user_failure_data else "") + data.error_display_string


def read_by(**more):
    """A plain asset that knows nothing of Écluse and reads what is published."""

    @dg.asset(
        key=["plain", "seen"],
        ins={"orders": dg.AssetIn(["clean", "orders"], input_manager_key="ecluse_io_manager")},
        io_manager_key="memory",
        **more,
    )
    def seen(orders: pd.DataFrame) -> pd.DataFrame:
        return orders

    return seen
