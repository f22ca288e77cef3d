"""Suites that changed since the data was checked: what is stale, why, and what makes it current again."""

from __future__ import annotations

from dataclasses import replace

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.door.definitions import Definitions
from ecluse.door.records import Records
from ecluse.gate import verdict
from ecluse.model.contract import Freshness
from ecluse.model.verdict import Request
from ecluse.step.recheck import check_published
from ecluse.step.releases import create_release
from ecluse.step.suites import stale_suites, suites_of
from tests.step.chain import CHARTER, CLEAN, RAW, Chain, suite_of
from tests.step.updates import Dataset, between

GATED = CHARTER.replace("{phase: trial}", "{phase: trial, suite: current}") + (
    'grants: [{role: counsel, datasets: ["*"], purposes: [returns], columns: {public: clear}}]\n'
)


@pytest.fixture
def chain(tmp_path):
    found = Chain(tmp_path)
    found.reopen(GATED)
    found.make(RAW, "1,5,a\n2,7,b\n")
    found.make(CLEAN)
    yield found
    found.close()


def stale(chain):
    services = chain.services
    return {s.dataset: s for s in stale_suites(services.warehouse, services.log.facts(), suites_of(chain.steps))}


def refusals(chain, manifest, lang="en"):
    """Why the door is closed for a release, if it is."""
    records = Records.open(Definitions.of(chain.folder))
    try:
        here = records.project.name, records.project.environment
        request = Request(CLEAN, manifest.version, manifest.digest, "returns", "p-law", "trial", *here, True)
        now = records.project.now()
        found = verdict(request, records.charter, records.facts, now, trust=records.trust.parties())
        return [reason.text(lang) for reason in found.reasons]
    finally:
        records.close()


def test_a_release_under_a_suite_that_has_changed_since_opens_only_after_another_check(chain):
    chain.person("p-law")
    released = create_release(chain.services, [CLEAN])
    assert (stale(chain), refusals(chain, released)) == ({}, [])
    chain.suite = suite_of(1)
    found = stale(chain)[CLEAN]
    assert (found.checked, found.files) == ((released.product(CLEAN).suite_digest,), 1)
    assert (found.added, found.removed, found.changed) == ((), (), ("column_values_to_be_between__amount",))
    chain.make(RAW, "3,5,c\n")
    chain.make(CLEAN)
    assert (CLEAN in stale(chain), [CLEAN in said for said in refusals(chain, released)]) == (False, [False, True])
    assert "ont changé" in refusals(chain, released, "fr")[1]
    again = create_release(chain.services, [CLEAN])
    assert refusals(chain, again) == []
    chain.suite = suite_of(2)
    check_published(chain.services, chain.steps[CLEAN])
    assert (stale(chain), refusals(chain, again)) == ({}, [])


def test_freshness_that_a_step_can_not_ask_is_no_difference(tmp_path):
    contract = {"freshness": Freshness("at", "7 days")}
    data = Dataset(tmp_path, {"id": "BIGINT", "at": "VARCHAR"}, key=("id",), contract={})
    data.give([(1, "2024-01-01")])
    promised = replace(data.step.guard, contract=replace(data.step.guard.contract, **contract))
    found = suites_of({"clean.rows": replace(data.step, guard=promised)})
    (told,) = stale_suites(data.services.warehouse, data.services.log.facts(), found)
    assert (told.added, told.removed, told.changed) == ((), (), ())
    data.close()


def test_only_the_parts_that_were_checked_with_another_suite_are_stale(tmp_path):
    data = Dataset(tmp_path, {"id": "BIGINT", "n": "BIGINT"}, key=("id",), expectations=[between("n", min_value=0)])
    data.give([(1, 5)], partition="a")
    data.give([(2, 5)], partition="b")
    unique = gxe.ExpectColumnValuesToBeUnique(column="n", severity="warning")
    other = gx.ExpectationSuite("rows", expectations=[between("n", min_value=0), unique])
    step = replace(data.step, guard=replace(data.step.guard, build_suite=lambda: other))
    data.step = step
    data.give([(3, 6)], partition="b")
    suites = suites_of({"clean.rows": step})
    (told,) = stale_suites(data.services.warehouse, data.services.log.facts(), suites)
    assert (told.files, told.added) == (1, ("column_values_to_be_unique__n",))
    check_published(data.services, step)
    assert stale_suites(data.services.warehouse, data.services.log.facts(), suites) == ()
    data.close()


def test_a_dataset_without_a_row_counts_by_its_newest_check_and_one_never_published_not_at_all(tmp_path):
    data = Dataset(tmp_path, {"id": "BIGINT", "n": "BIGINT"}, key=("id",))
    empty = suites_of({"clean.rows": data.step})
    assert stale_suites(data.services.warehouse, data.services.log.facts(), empty) == ()
    data.give([])
    assert stale_suites(data.services.warehouse, data.services.log.facts(), empty) == ()
    newer = replace(data.step.guard, build_suite=lambda: gx.ExpectationSuite("rows", [between("n", max_value=9)]))
    (told,) = stale_suites(
        data.services.warehouse,
        data.services.log.facts(),
        suites_of({"clean.rows": replace(data.step, guard=newer)}),
    )
    assert told.added == ("column_values_to_be_between__n",)
    data.close()
