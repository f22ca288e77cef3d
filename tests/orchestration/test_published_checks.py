"""What is published is checked by a job of its own, and not again in the run that makes it."""

import dagster as dg
import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

import ecluse
from ecluse.model.contract import Column, Contract, Freshness
from ecluse.model.step import Files, Guard
from ecluse.orchestration import EcluseResource

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


@pytest.fixture
def defs(tmp_path):
    (tmp_path / "charter.yaml").write_text(CHARTER)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.ecluse.profiles.demo]\nenvironment = "test"\nreplay_at = 2024-01-03T00:00:00Z\n'
    )
    (tmp_path / "orders.csv").write_text("id,at\n1,2024-01-01 00:00:00\n2,2024-01-02 00:00:00\n")
    suite = gx.ExpectationSuite("orders", expectations=[gxe.ExpectColumnValuesToBeBetween(column="id", min_value=1)])
    contract = Contract(
        columns=[Column("id", "BIGINT"), Column("at", "TIMESTAMP")],
        key=["id"],
        owner="shop",
        licence="CC0-1.0",
        freshness=Freshness("at", within="2 days"),
    )

    @ecluse.source("raw.orders", guard=Guard(contract, lambda: suite))
    def orders() -> Files:
        """Orders."""
        return Files(tmp_path / "orders.csv")

    everything = dg.define_asset_job("everything", selection="*")
    published = dg.define_asset_job(
        "published",
        selection=dg.AssetSelection.checks(
            dg.AssetCheckKey(orders.key, "published"), dg.AssetCheckKey(orders.key, "column_max_to_be_between__at")
        ),
    )
    return ecluse.definitions(
        assets=[orders], jobs=[everything, published], resources={"ecluse": EcluseResource(project=str(tmp_path))}
    )


def run(defs, job, instance):
    done = defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=True)
    return {e.check_name: e.passed for e in done.get_asset_check_evaluations()}


def test_the_run_that_makes_a_dataset_leaves_the_published_check_out(defs):
    with dg.DagsterInstance.ephemeral() as instance:
        made = run(defs, "everything", instance)
        assert "column_values_to_be_between__id" in made
        assert "published" not in made
        assert run(defs, "published", instance) == {"published": True, "column_max_to_be_between__at": True}


def test_every_check_of_the_step_says_what_it_checks(defs):
    (asset,) = defs.assets
    described = {c.name: c.description for c in asset.check_specs}
    assert described["column_values_to_be_between__id"] == "id is at least 1"


def test_what_was_never_published_is_not_held(defs):
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(defs, "published", instance) == {"published": False, "column_max_to_be_between__at": False}
