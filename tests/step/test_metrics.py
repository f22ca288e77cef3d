"""What was observed of a version is what its own reports said when it was published, added up over its parts."""

from __future__ import annotations

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.ledger import sign
from ecluse.model.facts import Subject
from ecluse.model.outcome import Outcome
from ecluse.step.metrics import metrics_of
from ecluse.step.recheck import check_published
from ecluse.step.releases import create_release
from tests.step.chain import CLEAN, RAW, Chain
from tests.step.updates import Dataset, between

BOUND = "column_values_to_be_between__amount"


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Two releases of a dataset: of the second, another check is asked, and a KPI was computed twice."""
    chain = Chain(tmp_path_factory.mktemp("shop"))
    manifests = []
    for rows in ("1,5,a\n2,-1,b\n3,-2,c\n", "1,5,a\n2,9,b\n"):
        chain.make(RAW, rows)
        chain.make(CLEAN)
        manifests.append(create_release(chain.services, [CLEAN]))
        mean = gxe.ExpectColumnMeanToBeBetween(column="amount", min_value=0, severity="critical")
        chain.suite = gx.ExpectationSuite("clean", expectations=[between("amount", min_value=0), mean])
    check_published(chain.services, chain.steps[CLEAN])
    with chain.services.database.transaction() as connection:
        for value in (0.5, 0.75):
            about = (Subject(f"{CLEAN}@1", manifests[1].digest),)
            fact = chain.services.fact("evidence", about, {"about": "kpi", "kpi": "auc", "value": value})
            chain.services.log.append(connection, [sign(fact, chain.services.signer)])
    yield chain, [metrics_of(m, CLEAN, [*chain.services.log.facts()]) for m in manifests]
    chain.close()


def test_each_check_says_how_many_rows_it_was_asked_of_and_how_many_failed(versions):
    _, (first, second) = versions
    assert (first.checks[BOUND].asked, first.checks[BOUND].failing, first.quarantined) == (3, 2, 2)
    assert (second.checks[BOUND].asked, second.checks[BOUND].failing, second.quarantined) == (2, 0, 0)
    assert second.checks[BOUND].outcome is Outcome.HELD


def test_a_measured_value_of_a_public_column_is_there_and_of_another_only_its_type(versions):
    chain, (first, second) = versions
    (mean,) = (answer.observed for name, answer in second.checks.items() if "mean" in name)
    assert mean == 7
    assert not any("mean" in name for name in first.checks)
    reports = [s.fact.predicate for s in chain.services.log.facts("evidence") if s.fact.predicate.get("checks")]
    told = {c["observed"] for said in reports for c in said["checks"] if "observed" in c and "mail" in c["columns"]}
    assert told <= {"VARCHAR", '["amount", "id", "mail"]'}


def test_the_newest_value_of_a_kpi_counts_for_the_release_that_it_was_computed_from(versions):
    _, (first, second) = versions
    assert (first.kpis, second.kpis) == ({}, {"auc": 0.75})


def test_what_was_said_of_the_parts_is_added_up(tmp_path):
    columns = {"id": "BIGINT", "n": "BIGINT"}
    contract = {"on_failure": "quarantine", "quarantine_at_most": 0.9}
    data = Dataset(tmp_path, columns, key=("id",), expectations=[between("n", min_value=0)], contract=contract)
    data.give([(1, 5), (2, -1)], partition="a")
    data.give([(3, 5), (4, 6), (5, -1)], partition="b")
    data.give([(3, 5), (4, 6)], partition="b")
    manifest = create_release(data.services, ["clean.rows"])
    found = metrics_of(manifest, "clean.rows", [*data.services.log.facts()])
    answer = found.checks["column_values_to_be_between__n"]
    assert (answer.asked, answer.failing, answer.observed, found.quarantined) == (4, 1, None, 1)
    unique = next(answer for name, answer in found.checks.items() if "unique" in name)
    assert (unique.outcome, unique.asked) == (Outcome.HELD, 3)
    data.close()
