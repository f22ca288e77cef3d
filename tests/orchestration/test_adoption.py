"""An ordinary Dagster project gets its assets guarded by adding ``ecluse.guard(...)`` and nothing else."""

import pickle
from pathlib import Path

import dagster as dg
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pytest

import ecluse
from ecluse.errors import DefinitionError
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

days = dg.StaticPartitionsDefinition(["2024-01-01", "2024-01-02"])


# ---- the project as it was, without a word of Écluse


class Folder(dg.ConfigurableIOManager):
    """Its own IO manager: pickles in a folder."""

    path: str

    def _file(self, context):
        parts = [*context.asset_key.path, *([context.partition_key] if context.has_partition_key else [])]
        return Path(self.path) / ("__".join(parts) + ".pkl")

    def handle_output(self, context, obj):
        self._file(context).write_bytes(pickle.dumps(obj))

    def load_input(self, context):
        return pickle.loads(self._file(context).read_bytes())


class Shop(dg.ConfigurableResource):
    rows: int = 3


class OrdersConfig(dg.Config):
    worst: int = 3


@dg.asset(key=["shop", "orders"], partitions_def=days, description="Orders of a day.", group_name="shop")
def orders(context: dg.AssetExecutionContext, config: OrdersConfig, shop: Shop) -> pd.DataFrame:
    context.log.info("making %s", context.partition_key)
    return pd.DataFrame({"id": range(shop.rows), "amount": [1.0, 2.0, float(config.worst)][: shop.rows]})


@dg.asset(key=["shop", "totals"], partitions_def=days, ins={"orders": dg.AssetIn(key=["shop", "orders"])})
def totals(orders: pd.DataFrame) -> float:
    return float(orders["amount"].sum())


@dg.multi_asset(outs={"left": dg.AssetOut(key=["shop", "left"]), "right": dg.AssetOut(key=["shop", "right"])})
def split(shop: Shop):
    frame = pd.DataFrame({"id": [1, 2], "amount": [1.0, 2.0]})
    yield dg.Output(frame, "left", metadata={"mine": 1})
    yield dg.Output("not a frame", "right")


@dg.asset(key=["shop", "written"])
def written(context: dg.AssetExecutionContext) -> None:
    Path(context.resources.folder_path).joinpath("written.csv").write_text("id,amount\n1,5\n2,5000\n")


written = dg.asset(key=["shop", "written"], required_resource_keys={"folder_path"})(written.op.compute_fn.decorated_fn)


# ---- what guarding adds


def guard(on_failure="block", severity="critical"):
    suite = gx.ExpectationSuite(
        "shop", expectations=[gxe.ExpectColumnValuesToBeBetween(column="amount", max_value=10, severity=severity)]
    )
    more = {"on_failure": "quarantine", "quarantine_at_most": 0.5} if on_failure == "quarantine" else {}
    columns = [Column("id", "BIGINT"), Column("amount", "DOUBLE")]
    return Guard(Contract(columns=columns, key=["id"], owner="shop", licence="CC0-1.0", **more), lambda: suite)


@pytest.fixture
def project(tmp_path):
    tmp_path.joinpath("charter.yaml").write_text(CHARTER)
    tmp_path.joinpath("store").mkdir()
    return Project.find(tmp_path, "demo")


def materialize(project, assets, **more):
    folder = str(project.root / "store")
    resources = {
        "io_manager": Folder(path=folder),
        "shop": Shop(),
        "folder_path": dg.ResourceDefinition.hardcoded_resource(folder),
        "ecluse": ecluse.orchestration.EcluseResource(project=str(project.root)),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(assets, resources=resources, instance=instance, raise_on_error=False, **more)
        checks = {e.check_name: e for e in result.get_asset_check_evaluations()}
    return result, checks


def config(worst):
    return {"ops": {"shop__orders": {"config": {"worst": worst}}}}


def stored(project, name):
    return pickle.loads((project.root / "store" / f"{name}.pkl").read_bytes())


def test_the_guarded_asset_is_otherwise_the_same_asset():
    found = ecluse.guard(orders, guard=guard())
    before, after = orders.specs_by_key, found.specs_by_key
    (key,) = before
    assert list(after) == [key]
    assert after[key].description == "Orders of a day."
    assert after[key].group_name == "shop"
    assert found.partitions_def is days
    assert {c.name for c in found.check_specs} >= {"column_values_to_be_between__amount"}


def test_a_returned_frame_is_locked_published_and_stored_as_before(project):
    assets = [ecluse.guard(orders, guard=guard()), totals]
    result, checks = materialize(project, assets, partition_key="2024-01-01", run_config=config(3))
    assert result.success
    assert checks["column_values_to_be_between__amount"].passed
    assert stored(project, "shop__orders__2024-01-01")["amount"].tolist() == [1.0, 2.0, 3.0]
    assert stored(project, "shop__totals__2024-01-01") == 6.0
    services = open_services(project)
    head = services.warehouse.head("shop.orders")
    assert [(f.partition, f.rows) for f in services.warehouse.files("shop.orders", head)] == [("2024-01-01", 3)]
    services.close()


def test_a_broken_promise_keeps_the_frame_from_its_io_manager_and_from_downstream(project):
    assets = [ecluse.guard(orders, guard=guard()), totals]
    result, checks = materialize(project, assets, partition_key="2024-01-01", run_config=config(99))
    assert not result.success
    assert not checks["column_values_to_be_between__amount"].passed
    assert not result.get_asset_materialization_events()
    assert list((project.root / "store").iterdir()) == []


def test_downstream_gets_only_rows_that_passed(project):
    assets = [ecluse.guard(orders, guard=guard("quarantine")), totals]
    result, _ = materialize(project, assets, partition_key="2024-01-01", run_config=config(99))
    assert result.success
    assert stored(project, "shop__orders__2024-01-01")["amount"].tolist() == [1.0, 2.0]
    assert stored(project, "shop__totals__2024-01-01") == 3.0


def test_one_output_of_a_multi_asset_is_guarded_and_the_other_left_alone(project):
    result, checks = materialize(project, [ecluse.guard(split, guard={"shop.left": guard()})])
    assert result.success
    assert checks["column_values_to_be_between__amount"].asset_key == dg.AssetKey(["shop", "left"])
    assert stored(project, "shop__right") == "not a frame"
    left = next(e for e in result.get_asset_materialization_events() if e.asset_key.path[-1] == "left")
    assert left.step_materialization_data.materialization.metadata["mine"].value == 1


def test_an_asset_that_writes_by_itself_is_observed_after_the_write(project):
    found = ecluse.guard(
        written, guard=guard(), read=lambda context: Path(context.resources.folder_path) / "written.csv"
    )
    result, checks = materialize(project, [found])
    assert not checks["column_values_to_be_between__amount"].passed
    assert [e.asset_key.path[-1] for e in result.get_asset_materialization_events()] == ["written"]


def test_an_asset_that_writes_by_itself_says_how_it_is_read(project):
    result, _ = materialize(project, [ecluse.guard(written, guard=guard())])
    assert not result.success


def test_a_key_that_the_asset_does_not_make_is_named():
    with pytest.raises(DefinitionError) as caught:
        ecluse.guard(split, guard={"shop.middle": guard()})
    assert "shop.middle" in str(caught.value)
    assert "shop.left" in str(caught.value)


def test_something_that_is_no_asset_is_refused():
    with pytest.raises(DefinitionError):
        ecluse.guard(dg.AssetSpec("x"), guard=guard())
