"""Assets of every shape that Dagster knows are guarded as they are."""

import sys
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ecluse
from ecluse.errors import DefinitionError
from ecluse.model.contract import Column
from ecluse.orchestration import runner

sys.path.insert(0, str(Path(__file__).parent))
from conftest import answers, failure, guard, months
from conftest import at_most as most

COLUMNS = [Column("id", "BIGINT"), Column("amount", "DOUBLE")]
FRAME = pd.DataFrame({"amount": [1.0, 2.0, 300.0], "id": pd.array([1, 2, 3], dtype="int32")})


def kept(**more):
    return guard(most(), columns=COLUMNS, on_failure="quarantine", quarantine_at_most=0.5, **more)


def blocking(**more):
    return guard(most(), columns=COLUMNS, **more)


class Taken(dg.IOManager):
    """An IO manager that remembers what it was given."""

    def __init__(self):
        self.given = {}

    def handle_output(self, context, obj):
        self.given[".".join(context.asset_key.path)] = obj

    def load_input(self, context):
        return self.given[".".join(context.asset_key.path)]


@pytest.fixture
def taken():
    return Taken()


def run(location, taken, *assets, checks=False, **more):
    resources = {"io_manager": taken, **more.pop("resources", {})}
    location.holds(*assets, resources=resources)
    return location.run(*(".".join(key.path) for asset in assets for key in asset.keys), **more)


@pytest.mark.parametrize(
    ("made_of", "rows"),
    [
        (lambda: FRAME, lambda f: f.to_dict("list")),
        (lambda: pl.from_pandas(FRAME), lambda f: f.to_dict(as_series=False)),
        (lambda: pl.from_pandas(FRAME).lazy(), lambda f: f.collect().to_dict(as_series=False)),
        (lambda: pa.Table.from_pandas(FRAME), lambda f: f.to_pydict()),
        (lambda: pa.Table.from_pandas(FRAME).to_reader(), lambda f: f.read_all().to_pydict()),
        (
            lambda: duckdb.sql("SELECT * FROM (VALUES (1.0::DOUBLE, 1::INT), (2.0, 2), (300.0, 3)) t(amount, id)"),
            lambda f: f.to_arrow_table().to_pydict(),
        ),
    ],
    ids=["pandas", "polars", "lazy", "arrow", "reader", "relation"],
)
def test_what_passes_is_the_same_kind_of_data_with_the_same_columns_and_types(location, taken, made_of, rows):
    @dg.asset(key=["shop", "orders"])
    def orders():
        return made_of()

    result = run(location, taken, ecluse.guard(orders, guard=kept()))
    assert result.success, failure(result)
    given = taken.given["shop.orders"]
    assert type(given).__name__ == type(made_of()).__name__
    assert rows(given) == {"amount": [1.0, 2.0], "id": [1, 2]}
    if isinstance(given, pd.DataFrame):
        assert given.dtypes.to_dict() == FRAME.dtypes.to_dict()


def test_a_generator_that_yields_outputs_with_all_that_they_carry(location, taken):
    @dg.multi_asset(outs={"left": dg.AssetOut(key=["shop", "left"]), "right": dg.AssetOut(key=["shop", "right"])})
    def both(context):
        yield dg.Output(FRAME, "left", metadata={"mine": 1}, tags={"who": "me"})
        yield dg.Output(FRAME.head(2), "right")

    found = ecluse.guard(both, guard={"shop.left": kept(), "shop.right": blocking()})
    result = run(location, taken, found)
    assert result.success, failure(result)
    left = next(
        e.step_materialization_data.materialization
        for e in result.get_asset_materialization_events()
        if e.asset_key.path[-1] == "left"
    )
    assert left.metadata["mine"].value == 1
    assert left.metadata["ecluse/quarantined"].value == 1
    assert left.tags["who"] == "me"
    assert left.tags["dagster/data_version"]
    assert len(taken.given["shop.left"]) == len(taken.given["shop.right"]) == 2


def test_both_guarded_outputs_have_a_check_of_what_is_published(location, taken):
    @dg.multi_asset(outs={"left": dg.AssetOut(key=["shop", "left"]), "right": dg.AssetOut(key=["right"])})
    def both():
        return FRAME.head(2), FRAME.head(2)

    run(location, taken, ecluse.guard(both, guard={"shop.left": blocking(), "right": blocking()}))
    keys = {
        dg.AssetCheckKey(dg.AssetKey(["shop", "left"]), "published"),
        dg.AssetCheckKey(dg.AssetKey(["right"]), "published"),
    }
    assert keys <= set(location.defs.resolve_asset_graph().asset_check_keys)
    defs = dg.Definitions.merge(
        location.defs, dg.Definitions(jobs=[dg.define_asset_job("check", dg.AssetSelection.checks(*keys))])
    )
    assert answers(defs.resolve_job_def("check").execute_in_process(instance=location.instance)) == {"published": True}
    assert location.rows("default.right", "id") == [(1,), (2,)]


def test_one_key_of_one_part_is_named_after_default(location, taken):
    @dg.asset
    def orders() -> pd.DataFrame:
        return FRAME.head(2)

    result = run(location, taken, ecluse.guard(orders, guard=blocking()))
    assert result.success, failure(result)
    assert all(answers(result).values())


def test_results_that_materialise_with_a_value_and_checks_of_their_own(location, taken):
    @dg.asset(key=["shop", "orders"], check_specs=[dg.AssetCheckSpec("mine", asset=["shop", "orders"])])
    def orders():
        return dg.MaterializeResult(value=FRAME.head(2), check_results=[dg.AssetCheckResult(passed=True)])

    result = run(location, taken, ecluse.guard(orders, guard=blocking()))
    assert result.success, failure(result)
    assert answers(result)["mine"] is True
    assert len(taken.given["shop.orders"]) == 2


def test_ins_with_partition_mappings_config_schema_and_resource_keys(location, taken):
    @dg.asset(key=["shop", "raw"], partitions_def=months)
    def raw(context):
        return pd.DataFrame({"id": [int(context.partition_key[-1])], "amount": [1.0]})

    @dg.asset(
        key=["shop", "orders"],
        partitions_def=months,
        ins={
            "before": dg.AssetIn(
                key=["shop", "raw"], partition_mapping=dg.StaticPartitionMapping({"2024-01": "2024-02"})
            )
        },
        config_schema={"plus": dg.Field(int, default_value=10)},
        required_resource_keys={"shop"},
    )
    def orders(context, before):
        context.log.info(context.resources.shop)
        return before.assign(id=before["id"] + context.op_execution_context.op_config["plus"])

    found = ecluse.guard(orders, guard=blocking())
    resources = {"shop": dg.ResourceDefinition.hardcoded_resource("corner"), "io_manager": taken}
    location.holds(raw, found, resources=resources)
    assert location.run("shop.raw", partition="2024-01").success
    result = location.run(
        "shop.orders", partition="2024-02", run_config={"ops": {"shop__orders": {"config": {"plus": 5}}}}
    )
    assert result.success, failure(result)
    assert location.rows("shop.orders", "id") == [(6,)]


def test_what_each_output_is_made_from_stays_as_it_was():
    specs = [dg.AssetSpec(["shop", "one"]), dg.AssetSpec(["shop", "two"], deps=[["shop", "one"]])]

    @dg.multi_asset(specs=specs)
    def both():
        yield dg.MaterializeResult(asset_key=["shop", "one"])
        yield dg.MaterializeResult(asset_key=["shop", "two"])

    found = ecluse.guard(both, guard={"shop.two": blocking()}, read=lambda _: FRAME.head(2))
    assert {k.path[-1]: {d.asset_key.path[-1] for d in s.deps} for k, s in found.specs_by_key.items()} == {
        "one": set(),
        "two": {"one"},
    }


def test_an_observed_asset_has_no_check_of_a_publication_it_never_makes(location, taken):
    @dg.asset(key=["shop", "written"])
    def written() -> None:
        return None

    result = run(
        location, taken, ecluse.guard(written, guard=blocking(), read=lambda _: FRAME.head(2).astype({"id": "int64"}))
    )
    assert result.success, failure(result)
    assert "published" not in {key.name for key in location.defs.resolve_asset_graph().asset_check_keys}


def test_an_async_asset_is_refused():
    @dg.asset(key=["shop", "orders"])
    async def orders():
        return FRAME

    with pytest.raises(DefinitionError) as caught:
        ecluse.guard(orders, guard=blocking())
    assert "async" in str(caught.value)


def test_an_asset_is_guarded_once():
    @dg.asset(key=["shop", "orders"])
    def orders():
        return FRAME

    with pytest.raises(DefinitionError) as caught:
        ecluse.guard(ecluse.guard(orders, guard=blocking()), guard=blocking())
    assert "guarded already" in str(caught.value)


def test_an_output_that_is_forgotten_fails(location, taken):
    @dg.multi_asset(outs={"left": dg.AssetOut(key=["shop", "left"]), "right": dg.AssetOut(key=["shop", "right"])})
    def both():
        yield dg.Output(FRAME.head(2), "left")

    result = run(location, taken, ecluse.guard(both, guard={"shop.left": blocking(), "shop.right": blocking()}))
    assert not result.success
    assert "shop.right" in failure(result)


def test_a_dry_run_stores_nothing_anywhere(location, taken, monkeypatch):
    ran = []

    @dg.asset(key=["shop", "orders"])
    def orders():
        return FRAME.head(2)

    @dg.asset(key=["shop", "plain"])
    def plain():
        ran.append("plain")

    @dg.asset(key=["shop", "written"])
    def written():
        ran.append("written")

    assets = [
        ecluse.guard(orders, guard=blocking()),
        plain,
        ecluse.guard(written, guard=blocking(), read=lambda _: FRAME),
    ]
    location.holds(*assets, resources={"io_manager": taken})
    monkeypatch.setattr(runner, "load_definitions", lambda _: location.defs)
    found = runner.run(location.project, [], dry_run=True)
    assert found.success
    assert [(r.dataset, r.ending.value) for r in found.results] == [("shop.orders", "dry_run")]
    assert (taken.given, ran) == ({}, [])
    assert location.rows("shop.orders") is None
    assert not location.project.root.joinpath("lineage").exists()
    with pytest.raises(DefinitionError) as caught:
        runner.run(location.project, ["shop.plain"], dry_run=True)
    assert "shop.plain" in str(caught.value)
