"""Lineage is handed on after a run: the project's own events, and what the readers' log holds."""

from datetime import UTC, datetime

import pytest

from ecluse.lineage import EventStore, RunInfo, events, run_uuid
from ecluse.orchestration.outbox import hand_on
from ecluse.project import Project
from ecluse.store import Database

CHARTER = """
project: shop
problem: none
phase: trial
phases: [trial]
purposes: []
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence]}]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "charter.yaml").write_text(CHARTER)
    return Project.find(tmp_path, "demo")


def tell(url, job):
    at = datetime(2024, 1, 2, tzinfo=UTC)
    database = Database(url)
    with database.transaction() as connection:
        EventStore(database).append(connection, [events.start(RunInfo(run_uuid(job), job, "shop", "demo"), at)])
    database.close()


def test_events_of_both_logs_reach_their_files(project):
    tell(project.database_url, "clean.orders")
    tell(project.reads_url, "read.products.orders")
    hand_on(project)
    folder = project.root / "lineage" / "events"
    assert [("clean.orders" in f.read_text()) for f in folder.glob("*.ndjson")] == [True]
    assert [("read.products.orders" in f.read_text()) for f in (folder / "reads").glob("*.ndjson")] == [True]


def test_a_project_that_nobody_read_has_no_log_of_reads(project):
    tell(project.database_url, "clean.orders")
    hand_on(project)
    assert not (project.state / "reads.db").exists()
    assert not (project.root / "lineage" / "events" / "reads").exists()


def test_a_folder_that_can_not_be_written_changes_nothing(project, caplog):
    tell(project.database_url, "clean.orders")
    (project.root / "lineage").mkdir()
    (project.root / "lineage" / "events").write_text("in the way")
    hand_on(project)
    assert "lineage is not handed on" in caplog.text
