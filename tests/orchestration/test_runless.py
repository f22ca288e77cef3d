"""What the command line did is told to Dagster, and Dagster is never what it depends on."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from ecluse.model.names import quarantine_name
from ecluse.orchestration import runless
from ecluse.step.compact import compact
from ecluse.step.held import Chosen
from ecluse.step.leave import Asked
from ecluse.step.recheck import check_published
from ecluse.step.reentry import leave_quarantine
from ecluse.step.releases import create_release
from ecluse.step.rollback import rollback_release
from ecluse.step.state import Ending
from tests.step.orders import NAME, Shop, guard
from tests.step.updates import between

KEY = dg.AssetKey(NAME.split("."))
CHECK = "column_values_to_be_between__amount"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    found = Shop(tmp_path)
    found.step = replace(
        found.step, guard=guard(between("amount", min_value=0), on_failure="quarantine", quarantine_at_most=0.5)
    )
    found.collect()
    assert found.run().ending is Ending.PUBLISHED
    yield found
    found.services.close()


def told():
    with dg.DagsterInstance.get() as instance:
        made = [r.asset_materialization for r in instance.fetch_materializations(KEY, limit=9).records]
        observed = [r.asset_observation for r in instance.fetch_observations(KEY, limit=9).records]
        answers = {name: _answer(instance, name) for name in (CHECK, "published")}
    return made, observed, {name: passed for name, passed in answers.items() if passed is not None}


def _answer(instance, name):
    """The newest answer of a check; ``None`` where it was never asked."""
    found = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, name), limit=1)
    return found[0].event.dagster_event.event_specific_data.passed if found else None


def leave(shop, move):
    asked = Asked(move, shop.steward, "looked at", Chosen(all=True))
    return leave_quarantine(shop.services, shop.step, asked)


def test_a_candidate_that_is_published_is_a_materialisation_with_its_checks(shop):
    branch = shop.run(replace(shop.step, guard=guard(between("amount", min_value=0))), force=True).branch
    result = shop.later(branch, shop.step)
    runless.tell_result(shop.services.project, shop.step, result)
    (made,), _, checks = told()
    assert made.tags["dagster/data_version"] == result.data_version
    assert made.metadata["dagster/row_count"].value == 2
    assert checks[CHECK] is False


def test_released_rows_make_the_dataset_anew_and_dropped_ones_are_observed(shop):
    runless.tell_left(shop.services, shop.step, leave(shop, "released"))
    (made,), _, checks = told()
    assert made.metadata["ecluse/left"].value == 1
    assert made.tags["dagster/data_version"]
    assert checks[CHECK] is False
    assert shop.run().ending is Ending.PUBLISHED
    assert shop.ids(quarantine_name(NAME)) == [2]
    runless.tell_left(shop.services, shop.step, leave(shop, "dropped"))
    made_again, observed, _ = told()
    assert (len(made_again), [o.metadata["ecluse/quarantine"].value for o in observed]) == (1, ["dropped"])


def test_a_rollback_says_the_version_that_was_there_before_and_a_compaction_changes_none(shop):
    first = create_release(shop.services, [NAME], "1.0.0")
    leave(shop, "released")
    runless.tell_compaction(shop.services.project, compact(shop.services, shop.step))
    moved = rollback_release(shop.services, shop.steward, first, "the refund was none")
    runless.tell_rollback(shop.services, moved, "1.0.0")
    (made,), (observed,), _ = told()
    assert made.metadata["ecluse/rollback"].value == "1.0.0"
    assert observed.metadata["ecluse/files_after"].value == 1
    jobs = [e["job"]["name"] for e in shop.services.events.events() if e["eventType"] == "COMPLETE"]
    assert jobs[-1] == f"{NAME}.rollback"
    assert f"{NAME}.quarantine" in jobs


def test_a_check_of_what_is_published_answers_as_the_scheduled_one_does(shop):
    runless.tell_check(shop.services.project, shop.step, check_published(shop.services, shop.step))
    assert told()[2] == {"published": True}


def test_without_an_instance_nothing_is_told_and_a_broken_one_hinders_nothing(shop, monkeypatch, tmp_path, caplog):
    report = check_published(shop.services, shop.step)
    monkeypatch.delenv("DAGSTER_HOME")
    settings = tmp_path / "dagster_home" / "dagster.yaml"
    settings.unlink()
    with monkeypatch.context() as without:
        without.setattr("ecluse.orchestration.runner.dagster_instance", None)
        runless.tell_check(shop.services.project, shop.step, report)
        assert caplog.records == []
    settings.write_text("no_such_setting: true\n")
    runless.tell_check(shop.services.project, shop.step, report)
    assert "Dagster was not told" in caplog.text
