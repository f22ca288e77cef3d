"""What another attempt finds, and what a failed one leaves in the records."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from ecluse.model.step import StepDefinition
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest


def test_an_attempt_that_follows_a_commit_only_reports(shop):
    """An asset whose inputs no digest covers is known by its run: append must not happen twice."""

    def orders() -> str:
        return "SELECT 1::BIGINT AS id, 2.0::DOUBLE AS amount"

    step = StepDefinition("products.kept", shop.source.guard, "asset", orders, update="append")
    run_id = str(uuid.uuid4())
    endings = [run_step(step, StepRequest(run_id, attempt=attempt), shop.services).ending for attempt in (1, 2)]
    assert endings == [Ending.PUBLISHED, Ending.UNCHANGED]
    assert len(shop.published()["products.kept"][1]) == 1


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
