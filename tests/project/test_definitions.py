"""The project's definitions agree with each other: assets, expectations, charter, jobs, schedules, sensors."""

import shutil
from itertools import pairwise
from pathlib import Path

import dagster
import pytest

from ecluse.charterfile import load_charter
from ecluse.gate import covers
from ecluse.orchestration.checks import suite_of
from ecluse.orchestration.registry import step_definitions
from pipelines import arrivals, collection, updates
from pipelines.datasets import ASSETS, PUBLISHED_CHECKS
from pipelines.definitions import defs
from pipelines.resources import resources

ROOT = Path(__file__).parents[2]
STEPS = step_definitions(ASSETS)
CHARTER = load_charter(ROOT / "charter.yaml")


def test_every_asset_has_its_expectations_at_the_same_path():
    files = {".".join(p.relative_to(ROOT / "assets").with_suffix("").parts) for p in (ROOT / "assets").glob("*/*.py")}
    files = {name for name in files if not name.endswith("__init__")}
    guards = {
        ".".join(p.parent.relative_to(ROOT / "expectations").parts) for p in ROOT.glob("expectations/*/*/suite.py")
    }

    assert files == guards == set(STEPS)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_suite_is_named_like_its_dataset_and_says_what_it_means(name):
    step = STEPS[name]

    assert step.guard.suite().name == name
    assert all(e.description for e in step.guard.suite().expectations)
    assert step.description
    assert step.guard.contract.description
    assert step.guard.contract.legal_basis


def test_controls_of_risks_are_checks_that_exist():
    controls = [control.split(":") for risk in CHARTER.risks for control in risk.controls]
    promises = {name: {p.name for p in suite_of(step).promises} for name, step in STEPS.items()}

    assert controls
    assert [c for c in controls if c[1] not in promises[c[0]]] == []


def test_purposes_and_grants_name_datasets_that_exist():
    for patterns in [p.datasets for p in CHARTER.purposes] + [g.datasets for g in CHARTER.grants]:
        for pattern in patterns:
            assert any(covers(pattern, name) for name in STEPS), pattern


def test_the_next_phase_asks_for_more_than_the_one_before():
    criteria = [{c.id for c in CHARTER.gate(phase).criteria} for phase in CHARTER.phases]

    assert all(before <= after for before, after in pairwise(criteria))
    assert {a.role for a in CHARTER.gate("industrialised").approvals} == {"data-steward", "business-owner", "sponsor"}


def test_no_person_is_named_and_no_key_of_a_demo_counts_elsewhere():
    assert all(party.id[:2] in {"p-", "s-"} for party in CHARTER.parties)
    assert all(not party.keys for party in CHARTER.parties)


def test_every_dataset_belongs_to_a_job():
    jobs = [defs.resolve_job_def(name) for name in ("collect", "update_month", "summarise", "train", "study")]
    made = {key for job in jobs for key in job.asset_layer.selected_asset_keys}

    assert {".".join(key.path) for key in made} == set(STEPS)


def test_scheduled_checks_and_arrivals_run_by_default():
    repository = defs.get_repository_def()
    sensors = {s.name: s.default_status for s in repository.sensor_defs}

    assert sensors["flights_arrived"] == sensors["directory_arrived"] == dagster.DefaultSensorStatus.RUNNING
    assert repository.get_schedule_def("check_published_daily").default_status == dagster.DefaultScheduleStatus.RUNNING


def test_the_scheduled_job_checks_every_dataset():
    checked = PUBLISHED_CHECKS.resolve_checks(defs.resolve_asset_graph())

    assert {".".join(key.asset_key.path) for key in checked} == set(STEPS)


def test_sensors_ask_for_what_has_arrived_and_was_not_collected(tmp_path, monkeypatch):
    shutil.copy(ROOT / "charter.yaml", tmp_path)
    monkeypatch.setenv("ECLUSE_PROJECT", str(tmp_path))

    def asked(sensor):
        with (
            dagster.DagsterInstance.ephemeral() as instance,
            dagster.build_sensor_context(
                instance=instance, resources=resources, repository_def=defs.get_repository_def()
            ) as context,
        ):
            return sensor.evaluate_tick(context)

    assert "python -m pipelines.arrivals" in asked(updates.flights_arrived).skip_message
    arrivals.deliver_month("2013-01")
    assert "run the job collect" in asked(updates.flights_arrived).skip_message
    assert "python -m pipelines.arrivals" in asked(collection.directory_arrived).skip_message
    arrivals.deliver_directory(arrivals.SECOND_RELEASE)
    assert len(asked(collection.directory_arrived).run_requests) == 1
