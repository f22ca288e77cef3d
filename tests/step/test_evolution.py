"""A contract's columns change: partitions that were not made again, quarantine, lineage, diff and releases follow."""

from __future__ import annotations

import uuid
from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.door.columns import released_columns
from ecluse.errors import DefinitionError
from ecluse.ledger import signer_for
from ecluse.model.contract import Classification, Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.diff import diff_versions
from ecluse.step.releases import create_release
from ecluse.step.rollback import rollback_release
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
parties: [{id: pipeline, attests: [run, publication, evidence, release, read]}, {id: ana}]
"""
ORDERS = "products.orders"
RAW = (Column("id", "BIGINT"), Column("month", "VARCHAR"), Column("amount", "INTEGER"), Column("customer", "VARCHAR"))
BEFORE = (Column("id", "BIGINT"), Column("amount", "INTEGER"), Column("customer", "VARCHAR", classification="public"))
AFTER = (
    Column("customer", "VARCHAR", classification="personal"),
    Column("id", "BIGINT"),
    Column("paid", "BIGINT", was="amount"),
    Column("note", "VARCHAR"),
)
AFTER_SQL = "SELECT customer, id, amount::BIGINT AS paid, 'n' AS note FROM raw WHERE month = '{}'"


class Shop:
    def __init__(self, folder):
        (folder / "charter.yaml").write_text(CHARTER)
        rows = ("1,a,5,ada", "2,a,-1,bo", "3,b,7,cy", "4,b,-2,di")
        (folder / "orders.csv").write_text("id,month,amount,customer\n" + "\n".join(rows) + "\n")
        self.services = open_services(Project.find(folder, "demo"))
        self.ana = signer_for(self.services.project, self.services.charter, "ana")
        promised = Contract(columns=RAW, key=("id",), owner="shop", licence="CC0-1.0")

        def collected() -> Files:
            return Files(folder / "orders.csv")

        source = StepDefinition("raw.orders", Guard(promised, lambda: gx.ExpectationSuite("r")), "source", collected)
        run_step(source, StepRequest(str(uuid.uuid4())), self.services)

    def make(self, columns, sql, partition, positive="amount"):
        contract = Contract(
            columns=columns,
            key=("id",),
            owner="shop",
            licence="CC0-1.0",
            on_failure="quarantine",
            quarantine_at_most=0.5,
        )
        expected = gxe.ExpectColumnValuesToBeBetween(column=positive, min_value=0, severity="critical")
        suite = gx.ExpectationSuite("p", expectations=[expected])

        def product(raw: Table, partition: str) -> str:
            return sql.format(partition)

        guard = Guard(contract, lambda: suite)
        step = StepDefinition(ORDERS, guard, "asset", product, (In("raw", "raw.orders"),), "group")
        found = run_step(step, StepRequest(str(uuid.uuid4()), partition=partition), self.services)
        assert found.published, found.blocks
        return found

    def before(self, partition):
        return self.make(BEFORE, "SELECT id, amount, customer FROM raw WHERE month = '{}'", partition)

    def after(self, partition):
        return self.make(AFTER, AFTER_SQL, partition, positive="paid")

    def rows(self, dataset):
        warehouse = self.services.warehouse
        with self.services.engine() as engine:
            found = engine.arrow(f"SELECT * FROM {warehouse.scan(dataset, warehouse.head(dataset))}")
        rows = [{n: v for n, v in row.items() if not n.startswith("_")} for row in found.to_pylist()]
        return sorted(rows, key=lambda row: row["id"])


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path)
    yield found
    found.services.close()


def test_published_rows_and_quarantine_of_other_partitions_follow_a_change_of_columns(shop):
    shop.before("a"), shop.before("b")
    found = shop.after("b")
    assert shop.rows(ORDERS) == [
        {"customer": "ada", "id": 1, "paid": 5, "note": None},
        {"customer": "cy", "id": 3, "paid": 7, "note": "n"},
    ]
    assert shop.rows(quarantine_name(ORDERS)) == [
        {"customer": "bo", "id": 2, "paid": -1, "note": None},
        {"customer": "di", "id": 4, "paid": -2, "note": "n"},
    ]
    assert [(e.dataset, e.column) for e in found.lineage.fields["paid"]] == [("raw.orders", "amount")]


def test_a_quarantine_without_new_rows_follows_too(shop):
    shop.before("a")
    sql = AFTER_SQL + " AND amount > 0"
    shop.make(AFTER, sql, "b", positive="paid")
    assert shop.rows(quarantine_name(ORDERS)) == [{"customer": "bo", "id": 2, "paid": -1, "note": None}]


def test_a_release_from_before_is_compared_and_brought_back_with_its_columns(shop):
    shop.before("a"), shop.before("b")
    old = create_release(shop.services, [ORDERS], "1.0.0")
    rows = shop.rows(ORDERS)
    shop.after("a")
    new = create_release(shop.services, [ORDERS], "2.0.0")
    with shop.services.engine() as engine:
        found = diff_versions(engine, shop.services.warehouse, old.product(ORDERS), new.product(ORDERS), ("id",))
    assert found.columns_renamed == {"paid": "amount"}
    assert found.types_changed == {"paid": ("INTEGER", "BIGINT")}
    assert (found.columns_added, found.columns_removed) == ({"note": "VARCHAR"}, {})
    assert (found.added, found.removed, found.changed, found.same) == (0, 0, 0, False)
    rollback_release(shop.services, shop.ana, old, "the new names break the model")
    assert shop.rows(ORDERS) == rows
    assert list(shop.rows(quarantine_name(ORDERS))[0]) == ["id", "amount", "customer"]
    rollback_release(shop.services, shop.ana, new, "the model is ready")
    assert [row["paid"] for row in shop.rows(ORDERS)] == [5, 7]


def test_a_column_that_was_renamed_and_then_found_personal_is_personal_in_older_releases_too(shop):
    shop.before("a")
    old = create_release(shop.services, [ORDERS], "1.0.0")
    renamed = Column("who", "VARCHAR", classification="personal", was="customer")
    shop.make((*BEFORE[:2], renamed), "SELECT id, amount, customer AS who FROM raw WHERE month = '{}'", "a")
    facts = list(shop.services.log.facts(kind="publication"))
    columns = {c.name: c.classification for c in released_columns(old.product(ORDERS), facts)}
    assert columns["customer"] is Classification.PERSONAL


def test_a_narrower_type_is_refused_before_anything_is_written_and_says_what_to_do(shop):
    shop.before("a")
    narrow = tuple(replace(c, type="INTEGER") if c.name == "id" else c for c in BEFORE)
    with pytest.raises(DefinitionError) as caught:
        shop.make(narrow, "SELECT id::INTEGER AS id, amount, customer FROM raw WHERE month = '{}'", "a")
    assert caught.value.key == "warehouse.column_change"
    assert "new name" in str(caught.value)
    assert [row["id"] for row in shop.rows(ORDERS)] == [1]
