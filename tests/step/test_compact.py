"""Compaction: fewer files with the same rows, and nothing else that anybody could notice."""

from __future__ import annotations

import uuid
from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from sqlalchemy import delete

from ecluse.cli.status import statuses
from ecluse.door.definitions import Definitions
from ecluse.door.records import Records
from ecluse.errors import BrokenData, Conflict, IntegrityError
from ecluse.gate import verdict
from ecluse.ledger import signer_for
from ecluse.model.contract import Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.model.verdict import Request
from ecluse.project import Project
from ecluse.step import compact as compacting
from ecluse.step.closure import closure_of
from ecluse.step.compact import compact
from ecluse.step.releases import create_release
from ecluse.step.rollback import rollback_release
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest
from ecluse.store.schema import leases

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates:
  - phase: trial
    criteria:
      - {id: quarantine, measure: quarantine.share, operator: "<=", value: 0.4}
      - {id: suite, measure: suite.stale, operator: "==", value: 0}
      - {id: licences, measure: sources.unlicensed, operator: "==", value: 0}
parties:
  - {id: pipeline, roles: [{name: maker, since: 2020-01-01}], attests: [run, publication, evidence, release, read]}
  - {id: ana}
grants: [{role: maker, datasets: ["*"], purposes: [returns], columns: {public: clear, internal: clear}}]
"""
RAW, CLEAN = "raw.orders", "clean.orders"


class Shop:
    def __init__(self, folder):
        (folder / "pyproject.toml").write_text('[tool.ecluse]\nname = "shop"\n')
        (folder / "charter.yaml").write_text(CHARTER)
        self.folder = folder
        self.services = open_services(Project.find(folder, "demo"))
        self.ana = signer_for(self.services.project, self.services.charter, "ana")
        columns = (Column("id", "BIGINT"), Column("amount", "BIGINT", classification="public"))
        contract = Contract(columns=columns, key=("id",), owner="shop", licence="CC0-1.0")
        strict = replace(contract, on_failure="quarantine", quarantine_at_most=0.5)

        def collected(partition) -> Files:
            return Files(folder / "orders.csv")

        def cleaned(raw: Table) -> str:
            return "SELECT id, amount FROM raw"

        self.raw = StepDefinition(
            RAW, Guard(contract, lambda: gx.ExpectationSuite("r")), "source", collected, update="append"
        )
        self.suite = suite_of(0)
        self.clean = StepDefinition(
            CLEAN, Guard(strict, lambda: self.suite), "asset", cleaned, (In("raw", RAW),), "row"
        )

    def add(self, rows, partition=None, step=None):
        (self.folder / "orders.csv").write_text("id,amount\n" + rows)
        return run_step(step or self.raw, StepRequest(str(uuid.uuid4()), partition=partition), self.services)

    def make(self):
        return run_step(self.clean, StepRequest(str(uuid.uuid4())), self.services)

    def files(self, dataset):
        return self.services.warehouse.files(dataset, self.services.warehouse.head(dataset))

    def rows(self, dataset, snapshot=None):
        source = self.services.warehouse.scan(dataset, snapshot or self.services.warehouse.head(dataset))
        with self.services.engine() as engine:
            return engine.rows(f"SELECT * FROM {source}")

    def opens(self, manifest):
        records = Records.open(Definitions.of(self.folder))
        try:
            request = Request(
                CLEAN, manifest.version, manifest.digest, "returns", "pipeline", "trial", "shop", "dev", True
            )
            now = records.project.now()
            found = verdict(request, records.charter, records.facts, now, trust=records.trust.parties())
            return found.opens, [reason.text() for reason in found.reasons]
        finally:
            records.close()


def suite_of(least):
    bound = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=least, severity="critical")
    return gx.ExpectationSuite("clean", expectations=[bound])


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path)
    yield found
    found.services.close()


@pytest.fixture
def appended(shop):
    """Three batches of a month, one of another month; order matters: the ids don't rise."""
    for rows in ("9,1\n8,2\n", "7,3\n", "1,4\n2,5\n"):
        shop.add(rows, "2024-01")
    shop.add("3,6\n", "2024-02")
    return shop


def test_the_same_rows_in_the_same_order_lie_in_fewer_files(appended):
    before, head = appended.rows(RAW), appended.services.warehouse.head(RAW)
    size = appended.services.log.size
    done = compact(appended.services, appended.raw)
    assert (done.partitions, done.files_before, done.files_after, done.rows) == (("2024-01",), 3, 1, 5)
    assert sorted((f.partition, f.rows) for f in appended.files(RAW)) == [("2024-01", 5), ("2024-02", 1)]
    assert appended.rows(RAW) == before == appended.rows(RAW, head)
    assert appended.services.log.size == size + 2
    assert appended.services.warehouse.candidates() == []
    appended.services.log.verify()


def test_where_no_partition_has_small_files_nothing_happens(appended):
    compact(appended.services, appended.raw)
    size = appended.services.log.size
    assert compact(appended.services, appended.raw).snapshot_id is None
    assert appended.services.log.size == size


def test_what_was_appended_before_is_known_as_published(appended):
    compact(appended.services, appended.raw)
    for rows in ("9,1\n8,2\n", "1,4\n2,5\n"):
        assert appended.add(rows, "2024-01").ending is Ending.UNCHANGED
    assert appended.add("5,5\n", "2024-01").ending is Ending.PUBLISHED
    assert len(compact(appended.services, appended.raw).partitions) == 1
    assert appended.add("9,1\n8,2\n", "2024-01").ending is Ending.UNCHANGED
    assert len(appended.rows(RAW)) == 7


def test_what_was_made_from_it_stays_as_it_is_and_keeps_its_data_version(appended):
    first = appended.make()
    compact(appended.services, appended.raw)
    again = appended.make()
    assert (first.ending, again.ending) == (Ending.PUBLISHED, Ending.UNCHANGED)
    assert again.data_version == first.data_version
    appended.suite = suite_of(-1)
    assert (newer := appended.make()).ending is Ending.PUBLISHED
    assert newer.data_version == first.data_version


def test_releases_before_and_after_open_by_the_same_evidence(shop):
    part = replace(shop.clean, update="append")
    for rows in ("1,5\n2,-7\n3,1\n", "4,2\n5,1\n"):
        shop.add(rows)
        run_step(part, StepRequest(str(uuid.uuid4())), shop.services)
        shop.raw = replace(shop.raw, update="replace")
    first = create_release(shop.services, [CLEAN], "1.0.0")
    held = len(shop.rows(quarantine_name(CLEAN)))
    compact(shop.services, part)
    second = create_release(shop.services, [CLEAN], "1.0.1")
    assert [len(m.product(CLEAN).files) for m in (first, second)] == [2, 1]
    assert shop.opens(first) == shop.opens(second) == (True, [])
    assert held == len(shop.rows(quarantine_name(CLEAN))) == 1
    facts = list(shop.services.log.facts())
    closures = [closure_of(m, CLEAN, facts) for m in (first, second)]
    assert closures[0].unrecorded == closures[1].unrecorded == ()
    assert [p.position for p in closures[0].publications] == [p.position for p in closures[1].publications]
    back = rollback_release(shop.services, shop.ana, first, "a try")
    forward = rollback_release(shop.services, shop.ana, second, "forward again")
    assert [(m.before, m.after) for m in forward] == [(m.after, m.before) for m in back]
    (status,) = (s for s in statuses(shop.services.log.facts()) if s.dataset == CLEAN)
    assert (status.rows, status.quarantined, status.check) == (4, 1, "held")


def test_a_compaction_that_the_suite_of_today_would_not_let_pass_moves_nothing(appended):
    head = appended.services.warehouse.head(RAW)
    strict = replace(appended.raw.guard, build_suite=lambda: suite_of(100))
    with pytest.raises(BrokenData, match="amount"):
        compact(appended.services, replace(appended.raw, guard=strict))
    assert appended.services.warehouse.head(RAW) == head
    assert appended.services.warehouse.candidates() == []


@pytest.mark.parametrize("partition", ["2024-01", None])
def test_a_partition_that_a_run_works_on_is_left_alone(appended, partition):
    columns = appended.services.warehouse.columns(RAW, appended.services.warehouse.head(RAW))
    begun = appended.services.warehouse.begin(RAW, columns, partition=partition, run_id="other", attempt=1)
    with pytest.raises(Conflict, match="other"):
        compact(appended.services, appended.raw)
    assert [branch.branch for branch in appended.services.warehouse.candidates()] == [begun.branch]
    appended.services.warehouse.discard(begun)
    assert compact(appended.services, appended.raw).files_after == 1


def test_no_run_begins_on_a_partition_that_is_being_compacted(appended, monkeypatch):
    real = compacting.ordered_rows

    def meanwhile(*arguments):
        with pytest.raises(Conflict):
            appended.add("6,6\n", "2024-01")
        return real(*arguments)

    monkeypatch.setattr(compacting, "ordered_rows", meanwhile)
    assert compact(appended.services, appended.raw).rows == 5


def test_another_partition_may_be_published_meanwhile(appended, monkeypatch):
    real = compacting.check

    def meanwhile(*arguments, **more):
        monkeypatch.setattr(compacting, "check", real)
        assert appended.add("6,6\n", "2024-02").ending is Ending.PUBLISHED
        return real(*arguments, **more)

    monkeypatch.setattr(compacting, "check", meanwhile)
    assert compact(appended.services, appended.raw).rows == 5
    assert len(appended.rows(RAW)) == 7
    with appended.services.database.reading() as connection:
        assert connection.execute(leases.select()).all() == []


def test_rows_that_differ_are_never_published(appended, monkeypatch):
    head = appended.services.warehouse.head(RAW)
    counted = iter(range(100))
    monkeypatch.setattr(compacting, "ordered_rows", lambda *_: (next(counted), 0))
    with pytest.raises(IntegrityError, match="2024-01"):
        compact(appended.services, appended.raw)
    assert appended.services.warehouse.head(RAW) == head
    assert appended.services.warehouse.candidates() == []


def test_the_sum_of_rows_tells_their_order_and_their_number(appended):
    with appended.services.engine() as engine:
        found = [
            compacting.ordered_rows(engine, f"(SELECT unnest({values}) AS n)", ["n"])
            for values in ("[1, 2, 2]", "[2, 1, 2]", "[1, 2]", "[1, 2, NULL]", "[1, 2, 2]")
        ]
    assert found[0] == found[4]
    assert len(set(found)) == 4


def test_what_a_killed_compaction_leaves_is_cleaned_by_the_next(appended):
    warehouse, head = appended.services.warehouse, appended.services.warehouse.head(RAW)
    dead = warehouse.begin(RAW, warehouse.columns(RAW, head), partition=None, run_id="dead", attempt=1)
    warehouse.occupy(dead, ["2024-01"])
    warehouse.give_up("dead")
    assert compact(appended.services, appended.raw).rows == 5
    with appended.services.database.transaction() as connection:
        assert connection.execute(delete(leases)).rowcount == 0
