"""What another attempt finds, and what a failed one leaves in the records."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from ecluse.errors import DefinitionError
from ecluse.model.step import Guard, StepDefinition, Table
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest
from tests.faults.conftest import CONTRACT, between


def test_an_attempt_that_follows_a_commit_only_reports(shop):
    """An asset whose inputs no digest covers is known by its run: append must not happen twice."""

    def orders() -> str:
        return "SELECT 1::BIGINT AS id, 2.0::DOUBLE AS amount"

    step = StepDefinition("products.kept", shop.source.guard, "asset", orders, update="append")
    run_id = str(uuid.uuid4())
    endings = [run_step(step, StepRequest(run_id, attempt=attempt), shop.services).ending for attempt in (1, 2)]
    assert endings == [Ending.PUBLISHED, Ending.UNCHANGED]
    assert len(shop.published()["products.kept"][1]) == 1


def test_an_append_that_is_forced_again_is_refused_and_doubles_nothing(shop):
    def orders(raw: Table) -> str:
        return "SELECT id, amount FROM raw"

    step = replace(shop.product, name="products.kept", compute=orders, update="append")
    assert shop.run(step, force=True).ending is Ending.PUBLISHED
    before = shop.published()
    with pytest.raises(DefinitionError) as caught:
        shop.run(step, force=True)
    assert caught.value.key == "step.force_append"
    assert shop.published() == before
    shop.file.write_text("id,amount\n3,9.0\n")
    shop.run(shop.source)
    assert shop.run(step, force=True).ending is Ending.PUBLISHED


def test_a_step_without_partitions_replaces_the_quarantine_of_those_it_once_had(shop):
    def orders(raw: Table) -> str:
        return "SELECT id, (5000 * (id % 2))::DOUBLE AS amount FROM raw"

    contract = replace(CONTRACT, on_failure="quarantine", quarantine_at_most=1.0)
    guard = Guard(contract, shop.suite(between()).build_suite)
    monthly = replace(shop.product, name="products.kept", compute=orders, guard=guard)
    assert shop.run(monthly, partition="2024-01").quarantined == 1
    whole = shop.run(replace(monthly, compute=shop.product.compute))
    assert (whole.ending, whole.quarantined) == (Ending.PUBLISHED, 0)
    assert shop.published()["products.kept__quarantine"][1] == []


def test_an_error_in_a_function_is_recorded_by_its_kind_alone(shop):
    def orders(raw):
        raise ValueError("Ann O'Neil can't be counted")

    with pytest.raises(ValueError, match="counted"):
        shop.run(replace(shop.product, compute=orders), force=True)
    (failed,) = [
        f.fact.predicate for f in shop.services.log.facts(kind="run") if f.fact.predicate["outcome"] == "failed"
    ]
    assert failed["reasons"] == ["ValueError"]
    database = shop.project.state / "ecluse.db"
    assert b"Neil" not in database.read_bytes() + database.with_name("ecluse.db-wal").read_bytes()
    assert shop.services.warehouse.candidates() == []
