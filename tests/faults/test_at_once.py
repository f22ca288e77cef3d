"""Steps that publish into one dataset at the same time: nothing is lost, nothing is doubled, nothing slips by a check."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.errors import Conflict, EcluseError
from ecluse.model.contract import Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.step import publish, run
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest

MONTHS = ("2024-01", "2024-02", "2024-03", "2024-04")


def guard(shop, *expectations, **settings):
    found = gx.ExpectationSuite("orders", expectations=list(expectations))
    given = {
        "columns": shop.source.guard.contract.columns,
        "owner": "shop",
        "licence": "CC0-1.0",
        "key": ["id"],
        **settings,
    }
    return Guard(Contract(**given), lambda: found)


@pytest.fixture
def shop(bare):
    bare.run(bare.source)
    return bare


@pytest.fixture
def monthly(bare):
    """A monthly source; one row of each month is too large, and leaves for quarantine."""
    for number, month in enumerate(MONTHS):
        bare.file.with_name(f"{month}.csv").write_text(
            f"id,amount\n{number * 10},5\n{number * 10 + 1},5\n{number * 10 + 2},5000\n"
        )

    def collected(partition: str) -> Files:
        return Files(bare.project.root / f"{partition}.csv")

    large = gxe.ExpectColumnValuesToBeBetween(column="amount", max_value=1000, severity="critical")
    guarded = guard(bare, large, on_failure="quarantine", quarantine_at_most=0.5)
    return StepDefinition("raw.monthly", guarded, "source", collected)


def meanwhile(monkeypatch, act, module=run, stage="publish"):
    """Do something just before the next publication begins, once."""
    found, done = getattr(publish, stage), []

    def first(state, services):
        if not done:
            done.append(1)
            act()
        return found(state, services)

    monkeypatch.setattr(module, "STAGES", tuple(first if s is found else s for s in run.STAGES))


def held(shop, dataset):
    return {row[0] for row in shop.published()[dataset][1]}


def test_months_in_parallel_all_arrive_with_their_quarantine(bare, monthly):
    found, errors = [], []
    start = threading.Barrier(len(MONTHS))

    def make(month):
        services = open_services(bare.project)
        try:
            start.wait(30)
            found.append(run_step(monthly, StepRequest(str(uuid.uuid4()), month), services))
        except EcluseError as error:
            errors.append(error)
        finally:
            services.close()

    threads = [threading.Thread(target=make, args=(month,)) for month in MONTHS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert {r.ending for r in found} == {Ending.PUBLISHED}
    assert held(bare, "raw.monthly") == {0, 1, 10, 11, 20, 21, 30, 31}
    assert held(bare, quarantine_name("raw.monthly")) == {2, 12, 22, 32}
    assert bare.services.warehouse.candidates() == []
    bare.services.log.verify()


def test_another_month_that_comes_first_is_kept(bare, monthly, monkeypatch):
    meanwhile(monkeypatch, lambda: bare.run(monthly, partition="2024-01"))
    assert bare.run(monthly, partition="2024-02").ending is Ending.PUBLISHED
    assert held(bare, "raw.monthly") == {0, 1, 10, 11}
    assert held(bare, quarantine_name("raw.monthly")) == {2, 12}
    facts = [
        f.fact.predicate
        for f in bare.services.log.facts(kind="publication")
        if f.fact.predicate["dataset"] == "raw.monthly"
    ]
    assert [f["previous_snapshot_id"] for f in facts][1] == facts[0]["snapshot_id"]
    assert str(bare.services.warehouse.head("raw.monthly")) == facts[1]["snapshot_id"]


def test_a_month_that_the_rest_of_the_year_overtakes_is_published_without_being_computed_again(
    bare, monthly, monkeypatch
):
    """As in a backfill of a year: each time that it is ready to publish, another month was faster."""
    others = [f"2024-{month:02}" for month in range(2, 13)]
    warehouse, waiting, computed = bare.services.warehouse, [*others], []
    facts, collected = publish.publication_facts, monthly.compute

    def overtaken(state, services):
        if waiting:
            month = waiting.pop(0)
            begun = warehouse.begin("raw.monthly", state.columns, partition=month, run_id=month, attempt=1)
            sql = f"SELECT {month[-2:]}00::BIGINT AS id, 1::DOUBLE AS amount, 'x'::VARCHAR AS _origin"
            prepared = warehouse.prepare([warehouse.write(state.engine, begun, sql, "replace")])
            with services.database.transaction() as connection:
                prepared.apply(connection)
        return facts(state, services)

    def counted(partition: str) -> Files:
        computed.append(partition)
        return collected(partition)

    monkeypatch.setattr(publish, "publication_facts", overtaken)
    monkeypatch.setattr(publish, "_WAIT", 0.0)
    assert bare.run(replace(monthly, compute=counted), partition="2024-01").ending is Ending.PUBLISHED
    assert (waiting, computed) == ([], ["2024-01"])
    assert held(bare, "raw.monthly") == {0, 1, *(int(f"{month[-2:]}00") for month in others)}


def test_a_key_that_another_month_published_first_blocks(bare, monthly, monkeypatch):
    bare.project.root.joinpath("2024-02.csv").write_text("id,amount\n1,5\n")
    meanwhile(monkeypatch, lambda: bare.run(monthly, partition="2024-01"))
    result = bare.run(monthly, partition="2024-02")
    assert result.ending is Ending.BLOCKED
    assert any("unique" in b.text() for b in result.blocks)
    assert held(bare, "raw.monthly") == {0, 1}
    assert held(bare, quarantine_name("raw.monthly")) == {2}


def test_the_same_month_published_first_by_another_run_is_no_conflict(bare, monthly, monkeypatch):
    def other():
        for branch in bare.services.warehouse.candidates():
            bare.services.warehouse.release(branch)
        assert bare.run(monthly, partition="2024-01").ending is Ending.PUBLISHED

    meanwhile(monkeypatch, other)
    result = bare.run(monthly, partition="2024-01")
    assert result.ending is Ending.UNCHANGED
    assert {c.name for c in result.checks} >= {"column_values_to_be_between__amount"}
    assert (result.rows, result.quarantined) == (2, 1)
    assert (
        len([f for f in bare.services.log.facts(kind="publication") if f.fact.predicate["dataset"] == "raw.monthly"])
        == 1
    )
    assert bare.services.warehouse.candidates() == []


def test_the_same_month_with_other_content_is_a_conflict_that_leaves_no_trace(bare, monthly, monkeypatch):
    def other():
        for branch in bare.services.warehouse.candidates():
            bare.services.warehouse.release(branch)
        bare.run(replace(monthly, guard=guard(bare)), partition="2024-01")

    meanwhile(monkeypatch, other)
    with pytest.raises(Conflict):
        bare.run(monthly, partition="2024-01")
    assert held(bare, "raw.monthly") == {0, 1, 2}
    assert [b for b in bare.services.warehouse.candidates() if b.holder] == []


def test_appending_the_same_twice_at_once_appends_it_once(shop, monkeypatch):
    def orders(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    step = StepDefinition(
        "products.kept", guard(shop, key=[]), "asset", orders, (In("raw", "raw.orders"),), "row", "append"
    )

    def other():
        for branch in shop.services.warehouse.candidates():
            shop.services.warehouse.release(branch)
        assert shop.run(step).ending is Ending.PUBLISHED

    meanwhile(monkeypatch, other)
    assert shop.run(step).ending is Ending.UNCHANGED
    assert len(shop.published()["products.kept"][1]) == 2
    assert shop.run(step).ending is Ending.UNCHANGED
    shop.file.write_text("id,amount\n7,1\n")
    shop.run(shop.source)
    assert shop.run(step).ending is Ending.PUBLISHED
    assert shop.run(step).ending is Ending.UNCHANGED
    assert held(shop, "products.kept") == {1, 2, 7}


def test_a_rerun_replaces_the_quarantine_of_its_month_in_the_same_move(bare, monthly):
    for month in MONTHS[:2]:
        bare.run(monthly, partition=month)
    bare.project.root.joinpath("2024-01.csv").write_text("id,amount\n0,5\n1,5\n2,50\n")
    assert bare.run(monthly, partition="2024-01").ending is Ending.PUBLISHED
    assert held(bare, "raw.monthly") == {0, 1, 2, 10, 11}
    assert held(bare, quarantine_name("raw.monthly")) == {12}


def test_data_that_was_rolled_back_is_published_again(shop):
    first = shop.services.warehouse.head("raw.orders")
    shop.file.write_text("id,amount\n9,1\n")
    shop.run(shop.source)
    shop.services.warehouse.rollback("raw.orders", first)
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    assert held(shop, "raw.orders") == {9}


def test_content_that_comes_back_is_published_again(shop):
    good = shop.file.read_text()
    shop.file.write_text("id,amount\n9,1\n")
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    shop.file.write_text(good)
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    assert held(shop, "raw.orders") == {1, 2}


def test_a_step_that_fails_behind_its_quarantine_leaves_no_branch(bare, monthly, monkeypatch):
    from ecluse.step import quarantine

    def fails(*_):
        raise RuntimeError("in the way")

    monkeypatch.setattr(quarantine, "check_again", fails)
    with pytest.raises(RuntimeError):
        bare.run(monthly, partition="2024-01")
    assert bare.services.warehouse.candidates() == []
    monkeypatch.undo()
    assert bare.run(monthly, partition="2024-01").ending is Ending.PUBLISHED


@pytest.mark.parametrize("coherent", [False, True])
def test_an_ancestor_at_two_versions_warns_and_blocks_where_coherence_is_asked_for(shop, coherent):
    def one(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    def both(left: Table, right: Table) -> str:
        return "SELECT left_.id, left_.amount FROM left AS left_ LEFT JOIN right AS right_ USING (id)".replace(
            "left AS", '"left" AS'
        ).replace("right AS", '"right" AS')

    raw, quiet = (In("raw", "raw.orders"),), guard(shop)
    left = StepDefinition("clean.left", quiet, "asset", one, raw, "row")
    right = replace(left, name="clean.right")
    joined = StepDefinition(
        "clean.both",
        quiet,
        "asset",
        both,
        (In("left", "clean.left"), In("right", "clean.right")),
        "row",
        coherent=coherent,
    )
    for step in (left, right):
        shop.run(step)
    assert shop.run(joined).warnings == ()
    shop.file.write_text("id,amount\n1,5.0\n")
    shop.run(shop.source)
    shop.run(left)
    result = shop.run(joined)
    assert result.ending is (Ending.BLOCKED if coherent else Ending.PUBLISHED)
    assert "raw.orders" in (result.blocks if coherent else result.warnings)[0].text()


def test_an_ancestor_is_followed_at_the_version_that_was_read(shop):
    """What stands between was computed again meanwhile, from a newer source than the one that these rows come from."""

    def one(source: Table) -> str:
        return "SELECT id, amount FROM source"

    def both(derived: Table, raw: Table) -> str:
        return "SELECT derived.id, derived.amount FROM derived LEFT JOIN raw USING (id)"

    quiet = guard(shop)
    between = StepDefinition("clean.between", quiet, "asset", one, (In("source", "raw.orders"),), "row")
    derived = replace(between, name="clean.derived", ins=(In("source", "clean.between"),))
    inputs = (In("derived", "clean.derived"), In("raw", "raw.orders"))
    joined = StepDefinition("clean.both", quiet, "asset", both, inputs, "row")
    for step in (between, derived):
        assert shop.run(step).ending is Ending.PUBLISHED
    shop.file.write_text("id,amount\n1,5.0\n")
    shop.run(shop.source)
    shop.run(between)
    (warning,) = shop.run(joined).warnings
    assert "raw.orders" in warning.text()


def test_a_release_of_an_appended_dataset_names_all_that_it_was_made_from(shop):
    from ecluse.step.releases import create_release

    def orders(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    step = StepDefinition("products.kept", guard(shop), "asset", orders, (In("raw", "raw.orders"),), "row", "append")
    shop.run(step)
    shop.file.write_text("id,amount\n7,1\n")
    shop.run(shop.source)
    shop.run(step)
    manifest = create_release(shop.services, ["products.kept"], "1.0.0")
    assert len([i for i in manifest.inputs if i.dataset == "raw.orders"]) == 2
