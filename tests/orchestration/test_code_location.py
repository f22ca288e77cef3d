"""A whole code location: monthly source, guarded asset, plain reader, retries, refusals, reruns."""

import sys
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

import ecluse
from ecluse.model.contract import Column

sys.path.insert(0, str(Path(__file__).parent))
from conftest import answers, at_most, clean, failure, guard, made, months, read_by, source

memory = {"memory": dg.mem_io_manager}


def test_two_months_go_from_csv_to_a_plain_asset(location):
    location.holds(source(location), clean(), read_by(partitions_def=months), resources=memory)
    for month, rows in (("2024-01", "1,5,ann\n2,6,bob\n"), ("2024-02", "3,7,cy\n")):
        location.write(month, rows)
        result = location.run(partition=month)
        assert result.success
        assert made(result) == ["raw.orders", "clean.orders", "plain.seen"]
        assert all(answers(result).values())
    seen = result.output_for_node("plain__seen")
    assert seen["id"].tolist() == [3]
    assert list(seen.columns) == ["id", "amount", "who"]
    assert location.rows("clean.orders", "id, amount") == [(1, 5.0), (2, 6.0), (3, 7.0)]


def test_an_unpartitioned_asset_reads_every_month(location):
    @ecluse.asset(
        "products.total",
        ins={"orders": "clean.orders"},
        grain="group",
        totals={"rows": ("count(*)", "sum(n)")},
        guard=guard(columns=[Column("n", "BIGINT")], key=[]),
    )
    def total(orders: ecluse.Table) -> str:
        return "SELECT count(*) AS n FROM orders"

    location.holds(source(location), clean(), total, read_by(), resources=memory)
    for month in ("2024-01", "2024-02"):
        location.write(month, f"{month[-1]},5,ann\n")
        assert location.run("raw.orders", "clean.orders", partition=month).success
    result = location.run("products.total", "plain.seen")
    assert result.success
    assert location.rows("products.total") == [(2,)]
    assert result.output_for_node("plain__seen")["id"].tolist() == [1, 2]


def test_an_unpartitioned_asset_in_the_run_of_a_month_stays_unpartitioned(location):
    @ecluse.asset(
        "products.total",
        ins={"orders": "clean.orders"},
        grain="group",
        totals={"rows": ("count(*)", "sum(n)")},
        guard=guard(columns=[Column("n", "BIGINT")], key=[]),
    )
    def total(orders: ecluse.Table) -> str:
        return "SELECT count(*) AS n FROM orders"

    location.holds(source(location), clean(), total)
    for month in ("2024-01", "2024-02"):
        location.write(month, f"{month[-1]},5,ann\n")
        assert location.run(partition=month).success
    assert location.rows("products.total") == [(2,)]


def test_a_range_of_partitions_in_one_run_is_refused_before_anything_is_read(location):
    location.write("2024-01", "1,5,ann\n")
    with pytest.warns(dg.BetaWarning):
        location.holds(source(location, backfill_policy=dg.BackfillPolicy.single_run()))
    tags = {"dagster/asset_partition_range_start": "2024-01", "dagster/asset_partition_range_end": "2024-02"}
    result = location.run("raw.orders", tags=tags)
    assert not result.success
    assert "one partition" in failure(result)
    assert location.rows("raw.orders") is None


def test_a_partition_mapping_decides_what_is_read(location):
    shifted = dg.AssetDep(
        dg.AssetKey(["raw", "orders"]), partition_mapping=dg.StaticPartitionMapping({"2024-01": "2024-02"})
    )
    location.holds(source(location), clean(ins={"raw": shifted}))
    location.write("2024-01", "1,5,ann\n")
    assert location.run("raw.orders", partition="2024-01").success
    assert location.run("clean.orders", partition="2024-02").success
    assert location.rows("clean.orders", "id") == [(1,)]


def test_a_month_that_is_not_published_is_refused_to_guarded_and_plain_readers(location):
    location.holds(source(location), clean(), read_by(partitions_def=months), resources=memory)
    location.write("2024-01", "1,5,ann\n")
    assert location.run("raw.orders", "clean.orders", partition="2024-01").success
    for name in ("clean.orders", "plain.seen"):
        result = location.run(name, partition="2024-02")
        assert not result.success
        assert "2024-02" in failure(result)
        assert "is not published" in failure(result)


def test_a_blocked_step_shows_its_checks_and_materialises_nothing(location):
    location.holds(source(location), clean(), read_by(partitions_def=months), resources=memory)
    location.write("2024-01", "1,5,ann\n2,5000,bob\n")
    result = location.run(partition="2024-01")
    assert not result.success
    assert answers(result)["column_values_to_be_between__amount"] is False
    assert made(result) == ["raw.orders"]
    assert "column_values_to_be_between__amount" in failure(result)
    assert location.rows("clean.orders") is None


def test_a_rerun_of_the_same_gives_every_check_and_the_same_data_version_again(location):
    location.holds(source(location), clean())
    location.write("2024-01", "1,5,ann\n")
    runs = [location.run(partition="2024-01") for _ in range(2)]
    assert all(r.success for r in runs)
    assert answers(runs[0]) == answers(runs[1])
    tags = [
        {k: v for k, v in e.step_materialization_data.materialization.tags.items() if k == "dagster/data_version"}
        for r in runs
        for e in r.get_asset_materialization_events()
    ]
    assert tags[:2] == tags[2:]
    endings = [
        e.step_materialization_data.materialization.metadata["ecluse/ending"].value
        for e in runs[1].get_asset_materialization_events()
    ]
    assert endings == ["unchanged", "unchanged"]


def test_another_suite_is_asked_even_where_the_data_is_the_same(location):
    location.write("2024-01", "1,5,ann\n")
    assert location.holds(source(location), clean()).run(partition="2024-01").success
    result = location.holds(source(location), clean(guarded=guard(at_most(1)))).run(partition="2024-01")
    assert answers(result)["column_values_to_be_between__amount"] is False


def test_the_data_version_is_the_published_content(location):
    location.write("2024-01", "1,5,ann\n")
    location.write("2024-02", "1,5,ann\n")
    location.holds(source(location, guard=guard(key=[])))
    first, second = (
        location.run(partition=month).get_asset_materialization_events()[0] for month in ("2024-01", "2024-02")
    )
    versions = {e.step_materialization_data.materialization.tags["dagster/data_version"] for e in (first, second)}
    assert len(versions) == 1


class Threshold(dg.Config):
    least: int = 0


def test_another_configuration_computes_again(location):
    @ecluse.asset(
        "clean.orders",
        ins={"raw": "raw.orders"},
        grain="row",
        filters={"small": "id < 2"},
        guard=guard(),
        partitions_def=months,
    )
    def orders(raw: pd.DataFrame, config: Threshold) -> pd.DataFrame:
        return raw[raw["id"] >= config.least]

    location.holds(source(location), orders)
    location.write("2024-01", "1,5,ann\n2,6,bob\n")
    assert location.run(partition="2024-01").success
    config = {"ops": {"clean__orders": {"config": {"least": 2}}}}
    assert location.run("clean.orders", partition="2024-01", run_config=config).success
    assert location.rows("clean.orders", "id") == [(2,)]


def test_a_function_gets_context_config_resources_and_partition(location):
    heard = []

    class Shop(dg.ConfigurableResource):
        name: str

    @ecluse.asset("clean.orders", ins={"raw": "raw.orders"}, grain="row", guard=guard(), partitions_def=months)
    def orders(
        context: dg.AssetExecutionContext, raw: ecluse.Table, config: Threshold, shop: Shop, partition: str
    ) -> str:
        heard.append((context.partition_key, config.least, shop.name, partition))
        return f"SELECT id, amount, who FROM {raw}"

    location.holds(source(location), orders, resources={"shop": Shop(name="corner")})
    location.write("2024-01", "1,5,ann\n")
    result = location.run(partition="2024-01")
    assert result.success, failure(result)
    assert heard == [("2024-01", 0, "corner", "2024-01")]


def test_config_and_resources_in_the_older_way(location):
    heard = []

    @ecluse.asset(
        "clean.orders",
        ins={"raw": "raw.orders"},
        grain="row",
        guard=guard(),
        partitions_def=months,
        config_schema={"least": dg.Field(int, default_value=3)},
        required_resource_keys={"shop"},
    )
    def orders(context, raw: ecluse.Table) -> str:
        heard.append((context.op_execution_context.op_config["least"], context.resources.shop))
        return "SELECT id, amount, who FROM raw"

    location.holds(source(location), orders, resources={"shop": dg.ResourceDefinition.hardcoded_resource("corner")})
    location.write("2024-01", "1,5,ann\n")
    result = location.run(partition="2024-01")
    assert result.success, failure(result)
    assert heard == [(3, "corner")]


def test_a_bad_moment_is_retried_and_bad_data_is_not(location):
    tries = []

    @ecluse.asset(
        "clean.orders",
        ins={"raw": "raw.orders"},
        grain="row",
        guard=guard(at_most()),
        partitions_def=months,
        retry_policy=dg.RetryPolicy(max_retries=2),
    )
    def orders(raw: ecluse.Table) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("gone for a moment")
        return "SELECT id, amount, who FROM raw"

    location.holds(source(location), orders)
    location.write("2024-01", "1,5,ann\n")
    assert location.run(partition="2024-01").success
    assert len(tries) == 2
    tries[:] = [1]
    location.write("2024-01", "1,5000,ann\n")
    assert not location.run(partition="2024-01").success
    assert len(tries) == 2


def test_a_dataset_with_more_than_fifty_promises_shows_one_check(location):
    guarded = guard(*(at_most(n) for n in range(10, 70)))
    location.holds(source(location), clean(guarded=guarded))
    location.write("2024-01", "1,5,ann\n")
    for _ in range(2):
        result = location.run("raw.orders", "clean.orders", partition="2024-01")
        assert result.success, failure(result)
        assert answers(result)["suite"] is True


def test_the_published_check_is_an_asset_check_of_its_own(location):
    location.holds(source(location), clean())
    location.write("2024-01", "1,5,ann\n")
    assert location.run(partition="2024-01").success
    job = dg.define_asset_job(
        "check",
        dg.AssetSelection.all_asset_checks()
        & dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["clean", "orders"]), "published")),
    )
    defs = dg.Definitions.merge(location.defs, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("check").execute_in_process(instance=location.instance)
    assert answers(result) == {"published": True}


def test_a_published_check_of_nothing_says_so(location):
    location.holds(source(location), clean())
    job = dg.define_asset_job(
        "check", dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["clean", "orders"]), "published"))
    )
    defs = dg.Definitions.merge(location.defs, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("check").execute_in_process(instance=location.instance, raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert "nothing of it is published" in evaluation.description


@pytest.mark.parametrize("name", ["module", "list"])
def test_an_asset_that_two_modules_show_is_one_asset(location, name):
    import types

    found = source(location)
    one, two = types.ModuleType("one"), types.ModuleType("two")
    one.orders = two.orders = found
    given = (one, two) if name == "module" else (found, one)
    assert location.holds(*given).defs.resolve_asset_graph().materializable_asset_keys == {
        dg.AssetKey(["raw", "orders"])
    }
