"""A rollback moves every product of a release in one transaction, says why, and can be undone by another."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from sqlalchemy import select

from ecluse.cli.status import statuses
from ecluse.errors import DefinitionError, LedgerError, NotComputed, Refused, WarehouseError
from ecluse.ledger import Signer, load_signer, new_key, signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step.closure import closure_of, published_closure
from ecluse.step.releases import create_release, decide, find_release
from ecluse.step.retention import expire, needed_snapshots
from ecluse.step.rollback import rollback_release
from ecluse.step.run import run_step
from ecluse.step.services import Services, open_services
from ecluse.step.state import StepRequest
from ecluse.store.schema import publications

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence, release, read]}, {id: ana}]
"""
ORDERS, PRICES = "products.orders", "products.prices"
ROWS = {"1.0.0": "1,5\n2,7\n3,-1\n", "2.0.0": "1,5\n2,8\n4,9\n"}


@dataclass
class Shop:
    services: Services
    ana: Signer
    steps: tuple[StepDefinition, ...]
    manifests: dict

    def run(self):
        return [run_step(step, StepRequest(str(uuid.uuid4())), self.services).ending for step in self.steps]

    def rows(self, dataset):
        head = self.services.warehouse.head(dataset)
        with self.services.engine() as engine:
            source = self.services.warehouse.scan(dataset, head) if head else "(SELECT 0 AS id LIMIT 0)"
            return [row[0] for row in engine.rows(f"SELECT id FROM {source} ORDER BY id")]

    def facts(self):
        return [s.fact for s in self.services.log.facts(kind="publication") if s.fact.predicate["update"] == "rollback"]

    def index(self):
        """What the index of publications says, without the time of the row."""
        with self.services.database.reading() as connection:
            return {row.key: (*row[1:5], json.loads(row.result)) for row in connection.execute(select(publications))}


def shop_in(folder):
    (folder / "charter.yaml").write_text(CHARTER)

    def collected() -> Files:
        return Files(folder / "orders.csv")

    def product(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    columns = (Column("id", "BIGINT"), Column("amount", "BIGINT", classification="public"))
    promised = Contract(columns=columns, key=("id",), owner="shop", licence="CC0-1.0")
    strict = replace(promised, on_failure="quarantine", quarantine_at_most=0.5)
    positive = gx.ExpectationSuite(
        "p", expectations=[gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, severity="critical")]
    )
    source = StepDefinition("raw.orders", Guard(promised, lambda: gx.ExpectationSuite("r")), "source", collected)
    made = [
        StepDefinition(n, Guard(strict, lambda: positive), "asset", product, (In("raw", "raw.orders"),), "row")
        for n in (ORDERS, PRICES)
    ]
    services = open_services(Project.find(folder, "demo"))
    ana = signer_for(services.project, services.charter, "ana")
    shop = Shop(services, ana, (source, *made), {})
    for version, rows in ROWS.items():
        (folder / "orders.csv").write_text("id,amount\n" + rows)
        shop.run()
        shop.manifests[version] = create_release(shop.services, [ORDERS, PRICES], version)
    return shop


@pytest.fixture
def shop(tmp_path):
    found = shop_in(tmp_path)
    yield found
    found.services.close()


def test_every_product_and_its_quarantine_go_back_and_forward_again(shop):
    there = {d: shop.rows(d) for d in (ORDERS, PRICES, quarantine_name(ORDERS))}
    index = shop.index()
    moved = rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "the new amounts are wrong")
    assert [m.dataset for m in moved] == [ORDERS, PRICES]
    for dataset in (ORDERS, PRICES):
        assert shop.rows(dataset) == [1, 2]
        assert shop.rows(quarantine_name(dataset)) == [3]
    assert shop.rows("raw.orders") == [1, 2, 4]
    back = rollback_release(shop.services, shop.ana, shop.manifests["2.0.0"], "they were right")
    assert [(m.before, m.after) for m in back] == [(m.after, m.before) for m in moved]
    assert {d: shop.rows(d) for d in there} == there
    assert shop.index() == index
    shop.services.log.verify()


def test_a_rollback_is_a_fact_with_its_reason_and_no_new_evidence_about_files(shop):
    rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    facts = shop.facts()
    assert [f.predicate["dataset"] for f in facts] == [ORDERS, PRICES]
    assert len({f.predicate["run_id"] for f in facts}) == 1
    for fact in facts:
        said = fact.predicate
        assert (said["reason"], said["version"]) == ("wrong amounts", "1.0.0")
        assert [s.sha256 for s in fact.subjects] == [shop.manifests["1.0.0"].digest]
        assert said["snapshot_id"] == str(shop.services.warehouse.head(said["dataset"]))
        assert said["partitions"] == {"all": {"rows": 2, "quarantined": 1}}
        assert (said["quarantine"]["rows"], list(said["quarantine"]["by_check"].values())) == (1, [1])
    (status,) = (s for s in statuses(shop.services.log.facts()) if s.dataset == ORDERS)
    assert (status.rows, status.quarantined, status.version) == (2, 1, "2.0.0")


def test_a_rollback_is_a_persons_decision(shop):
    rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    (decision,) = shop.services.log.facts("decision")
    said = decision.fact.predicate
    assert decision.key_ids == {shop.ana.key_id}
    assert (said["verdict"], said["reason"], said["datasets"]) == ("rolled-back", "wrong amounts", [ORDERS, PRICES])
    assert said["manifest"] == shop.manifests["1.0.0"].digest
    assert {fact.predicate["run_id"] for fact in shop.facts()} == {said["run_id"]}


def test_a_pipelines_key_decides_no_rollback(shop):
    there, size = shop.rows(ORDERS), shop.services.log.size
    with pytest.raises(LedgerError, match="decision"):
        rollback_release(shop.services, shop.services.signer, shop.manifests["1.0.0"], "wrong amounts")
    assert (shop.rows(ORDERS), shop.services.log.size) == (there, size)


def test_a_rollback_to_where_everything_stands_does_nothing(shop):
    size = shop.services.log.size
    assert rollback_release(shop.services, shop.ana, shop.manifests["2.0.0"], "to be sure") == ()
    assert shop.services.log.size == size


def test_a_release_made_after_a_rollback_names_the_inputs_of_what_is_published(shop):
    rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    again = create_release(shop.services, [ORDERS], "1.0.1")
    first = shop.manifests["1.0.0"]
    assert (again.inputs, again.product(ORDERS)) == (first.inputs, first.product(ORDERS))
    heads = [(ORDERS, shop.services.warehouse.head(ORDERS))]
    assert published_closure(heads, list(shop.services.log.facts())).inputs == first.inputs
    found = closure_of(again, ORDERS, list(shop.services.log.facts()))
    assert (found.unrecorded, len(found.publications)) == ((), 2)


def test_a_rollback_does_not_change_which_release_is_the_latest_and_the_next_release_does(shop):
    first, second = shop.manifests.values()
    rollback_release(shop.services, shop.ana, first, "wrong amounts")
    assert find_release(shop.services, ORDERS) == second
    create_release(shop.services, [ORDERS], "1.0.1")
    assert find_release(shop.services, ORDERS) == second
    again = create_release(shop.services, [ORDERS])
    assert (again.version, again.product(ORDERS).files) == ("2.0.1", first.product(ORDERS).files)
    assert find_release(shop.services, ORDERS) == again


def test_a_release_is_never_called_latest(shop):
    with pytest.raises(DefinitionError, match="how readers ask for the latest release"):
        create_release(shop.services, [ORDERS], "latest")


def test_the_closure_of_what_is_published_after_a_rollback_is_whole(shop):
    rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    shop.run()
    assert shop.rows(ORDERS) == [1, 2, 4]
    made = create_release(shop.services, [ORDERS], "3.0.0")
    found = closure_of(made, ORDERS, list(shop.services.log.facts()))
    assert (found.unrecorded, [p.fact.predicate["dataset"] for p in found.publications]) == ((), ["raw.orders", ORDERS])


def test_a_rollback_without_a_reason_is_refused(shop):
    with pytest.raises(DefinitionError) as caught:
        rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "  ")
    assert caught.value.key == "step.rollback_reason"


def test_what_was_withdrawn_is_not_published_again(shop):
    services, first = shop.services, shop.manifests["1.0.0"]
    decide(services, shop.ana, first, "withdrawn", reason="the amounts are of another shop")
    before = shop.rows(ORDERS)
    with pytest.raises(Refused, match="the amounts are of another shop"):
        rollback_release(services, shop.ana, first, "2.0.0 lacks an order")
    assert shop.rows(ORDERS) == before
    assert shop.facts() == []


def test_nothing_moves_where_one_product_can_not(shop):
    before = {d: shop.rows(d) for d in (ORDERS, PRICES)}
    orders, prices = shop.manifests["1.0.0"].products
    for snapshot, kind in ((42, NotComputed), (shop.services.warehouse.head("raw.orders"), NotComputed)):
        lost = replace(shop.manifests["1.0.0"], products=(orders, replace(prices, snapshot_id=snapshot)))
        with pytest.raises(kind):
            rollback_release(shop.services, shop.ana, lost, "wrong amounts")
    shop.services.warehouse.rollback(PRICES, None)
    assert {d: shop.rows(d) for d in (ORDERS,)} == {ORDERS: before[ORDERS]}
    assert shop.facts() == []


def test_a_release_whose_snapshot_was_forgotten_can_not_be_rolled_back_to(shop, monkeypatch):
    old = shop.manifests["1.0.0"].product(PRICES).snapshot_id
    table = shop.services.warehouse._catalog
    table.commit(PRICES, lambda draft: (draft.drop_ref("v1.0.0"), draft.drop_snapshot(old)))
    with pytest.raises(WarehouseError) as caught:
        rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    assert caught.value.key == "warehouse.not_published"
    assert shop.rows(ORDERS) == [1, 2, 4]
    assert shop.facts() == []


def test_a_key_that_may_not_attest_publications_moves_nothing(shop, tmp_path):
    stranger = replace(shop.services, signer=load_signer(new_key(tmp_path / "keys", "stranger")))
    with pytest.raises(LedgerError):
        rollback_release(stranger, shop.ana, shop.manifests["1.0.0"], "wrong amounts")
    assert shop.rows(ORDERS) == [1, 2, 4]


def test_expiry_keeps_what_releases_and_what_is_published_rest_on(shop):
    for rows in ("5,1\n", "6,1\n", "7,1\n"):
        (shop.services.project.root / "orders.csv").write_text("id,amount\n" + rows)
        shop.run()
    assert needed_snapshots(shop.services)["raw.orders"] >= {
        i.snapshot_id for m in shop.manifests.values() for i in m.inputs
    }
    gone = expire(shop.services, timedelta(0))
    assert {d: len(ids) for d, ids in gone.items()} == dict.fromkeys(("raw.orders", ORDERS, PRICES), 2)
    shop.services.warehouse.sweep(grace=timedelta(0))
    assert shop.rows(ORDERS) == [7]
    for manifest in shop.manifests.values():
        assert rollback_release(shop.services, shop.ana, manifest, "look again")
    assert (shop.rows(ORDERS), shop.rows(quarantine_name(ORDERS))) == ([1, 2, 4], [])
    rollback_release(shop.services, shop.ana, shop.manifests["1.0.0"], "look again")
    assert (shop.rows(ORDERS), shop.rows(quarantine_name(ORDERS))) == ([1, 2], [3])
    assert expire(shop.services, timedelta(0), "raw.orders") == {}
