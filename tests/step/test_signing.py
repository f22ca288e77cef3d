"""Nobody waits for a signature: what is signed is signed before the transaction that appends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.model.step import Table
from ecluse.step.recheck import check_published
from ecluse.step.releases import create_release, decide
from ecluse.step.state import Ending
from tests.step.orders import Shop


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path)
    yield found
    found.services.close()


def test_nobody_waits_while_a_step_signs_how_it_ended(shop, signing):
    signed = signing(shop.services.database.file)
    shop.collect()
    assert [shop.run(step).ending for step in (shop.source, shop.step)] == [Ending.UNCHANGED, Ending.BLOCKED]

    def failing(raw: Table) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shop.run(replace(shop.step, compute=failing))
    check_published(shop.services, shop.source)
    assert len(signed) == len([*shop.services.log.facts()])
    assert [s.fact.predicate["outcome"] for s in shop.services.log.facts("run")] == [
        "published",
        "unchanged",
        "blocked",
        "failed",
    ]


def test_nobody_waits_while_somebody_decides(shop, signing):
    shop.collect()
    manifest = create_release(shop.services, ["raw.orders"], "1.0.0")
    signed = signing(shop.services.database.file)
    until = datetime.now(UTC) + timedelta(days=30)
    decide(shop.services, shop.steward, manifest, "approved", question="data-valid", reason="looked", expires=until)
    assert signed == ["steward"]
