from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.errors import DefinitionError, StorageError
from ecluse.lineage import EventStore, RunInfo, events, run_uuid
from ecluse.lineage.export import Day, export_days
from ecluse.store import Database

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'ecluse.db'}")
    yield found
    found.close()


@pytest.fixture
def store(database):
    return EventStore(database)


def _event(number=0, at=NOON, job="clean.flights"):
    return events.start(RunInfo(run_uuid(job, number), job, "flights", "demo", description="été ✈"), at)


@pytest.fixture
def filled(database, store):
    made = [_event(n, NOON + timedelta(hours=8 * n)) for n in range(4)]
    with database.transaction() as connection:
        store.append(connection, made)
    return made


class _Backend(BaseHTTPRequestHandler):
    """A lineage backend: answers with ``status`` after ``seconds``, and keeps what it got."""

    status, seconds, got = 201, 0.0, []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(type(self).seconds)
        status = type(self).status
        status = status(body) if callable(status) else status
        if status < 300:
            type(self).got.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def backend():
    kind = type("_OwnBackend", (_Backend,), {"got": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    kind.url = f"http://127.0.0.1:{server.server_port}"
    yield kind
    server.shutdown()
    server.server_close()
    thread.join()


def _config(folder, text):
    path = folder / "openlineage.yml"
    path.write_text(text)
    return path


def test_events_come_back_in_the_order_of_their_arrival(store, filled):
    assert list(store.events()) == filled


def test_events_can_be_asked_for_by_job_run_type_and_time(database, store, filled):
    with database.transaction() as connection:
        store.append(connection, [_event(9, job="raw.flights")])
    assert [e["job"]["name"] for e in store.events(job="raw.flights")] == ["raw.flights"]
    assert list(store.events(run_id=filled[2]["run"]["runId"])) == [filled[2]]
    assert list(store.events(type="FAIL")) == []
    assert (
        list(store.events(job="clean.flights", since=NOON + timedelta(hours=8), until=NOON + timedelta(hours=16)))
        == filled[1:3]
    )


def test_an_event_stands_exactly_when_what_it_reports_stands(database, store):
    def publish():
        with database.transaction() as connection:
            store.append(connection, [_event()])
            raise RuntimeError("the publication failed")

    with pytest.raises(RuntimeError):
        publish()
    assert list(store.events()) == []


def test_the_export_writes_one_file_per_utc_day(tmp_path, store, filled):
    grown = store.export(tmp_path / "events")
    assert [path.name for path in grown] == ["2013-01-01.ndjson", "2013-01-02.ndjson"]
    assert [[json.loads(line) for line in path.read_text().splitlines()] for path in grown] == [filled[:2], filled[2:]]


def test_the_export_is_idempotent_and_only_adds(tmp_path, database, store, filled):
    folder = tmp_path / "events"
    first, _ = store.export(folder)
    before = first.read_bytes()
    assert store.export(folder) == ()
    with database.transaction() as connection:
        store.append(connection, [_event(7, NOON)])
    assert store.export(folder) == (first,)
    assert first.read_bytes().startswith(before)
    assert len(first.read_bytes().splitlines()) == 3


def test_a_line_that_a_dying_writer_left_unfinished_is_written_again(tmp_path, store, filled):
    folder = tmp_path / "events"
    first, _ = store.export(folder)
    whole = first.read_bytes()
    first.write_bytes(whole[:-20])
    store.export(folder)
    assert first.read_bytes() == whole


def test_a_folder_that_was_lost_is_written_again(tmp_path, store, filled):
    first, second = store.export(tmp_path / "events")
    first.unlink()
    assert store.export(tmp_path / "events") == (first,)
    assert second.exists()


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path, store, filled):
    (tmp_path / "events").write_text("in the way")
    with pytest.raises(StorageError, match="ecluse lineage export"):
        store.export(tmp_path / "events")


@settings(max_examples=40, deadline=None)
@given(
    arrivals=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4, unique=True), max_size=5), cut=st.integers(0, 9)
)
def test_exports_in_any_order_and_with_any_death_give_each_line_once(tmp_path_factory, arrivals, cut):
    folder = tmp_path_factory.mktemp("events")
    lines: list[str] = []
    for arrived in arrivals:
        # A line may be committed before one that took its number earlier.
        lines = [*[a for a in arrived if a not in lines], *lines]
        export_days(folder, [Day("2013-01-01", sum(len(line) + 1 for line in lines))], lambda _, now=lines: now)
        path = folder / "2013-01-01.ndjson"
        assert sorted(path.read_text().splitlines()) == sorted(lines) if lines else True
        if path.exists():
            content = path.read_bytes()
            path.write_bytes(content[: max(0, len(content) - cut)])


def test_without_a_transport_nothing_is_sent_and_events_wait(tmp_path, store, filled):
    for path in (tmp_path / "none.yml", _config(tmp_path, "# nothing\n"), _config(tmp_path, "transport: {type: noop}")):
        found = store.forward(path)
        assert (found.configured, found.sent, found.waiting) == (False, 0, 4)


def test_forwarded_events_arrive_once_and_whole(tmp_path, store, filled, backend):
    config = _config(tmp_path, f"transport: {{type: http, url: '{backend.url}'}}")
    assert (store.forward(config, limit=3).sent, store.waiting()) == (3, 1)
    assert (store.forward(config).sent, store.waiting()) == (1, 0)
    assert store.forward(config).sent == 0
    assert backend.got == filled


def _attempts(database):
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT attempts, forwarded IS NOT NULL FROM ecluse_events ORDER BY id")
        return [tuple(row) for row in rows]


def test_a_dead_backend_changes_nothing_but_the_count_of_attempts(tmp_path, database, store, filled):
    config = _config(tmp_path, "transport: {type: http, url: 'http://127.0.0.1:9', retry: {total: 5}}")
    began = time.monotonic()
    found = store.forward(config)
    assert time.monotonic() - began < 2
    assert (found.sent, found.waiting, found.configured) == (0, 4, True)
    assert found.error
    assert _attempts(database) == [(1, 0), (0, 0), (0, 0), (0, 0)]
    assert list(store.events()) == filled


def test_a_backend_that_never_answers_is_waited_for_no_longer_than_asked(tmp_path, store, filled, backend):
    backend.seconds = 1.5
    config = _config(tmp_path, f"transport: {{type: http, url: '{backend.url}', timeout: 60}}")
    began = time.monotonic()
    assert store.forward(config, seconds=0.3).sent == 0
    assert time.monotonic() - began < 1.2
    assert store.waiting() == 4


def test_an_event_that_a_backend_refuses_does_not_keep_the_others_back(tmp_path, store, filled, backend):
    refused = filled[1]["run"]["runId"]
    backend.status = lambda body: 422 if body["run"]["runId"] == refused else 201
    config = _config(tmp_path, f"transport: {{type: http, url: '{backend.url}'}}")
    assert "422" in store.forward(config).error
    store.forward(config)
    assert (store.waiting(), len(backend.got)) == (1, 3)
    backend.status = 201
    assert store.forward(config).waiting == 0


def test_sending_to_a_file_is_relative_to_the_configuration(tmp_path, store, filled):
    config = _config(tmp_path, "transport: {type: file, log_file_path: sent.ndjson, append: true}")
    store.forward(config)
    assert [json.loads(line) for line in (tmp_path / "sent.ndjson").read_text().splitlines()] == filled


def test_several_transports_at_once(tmp_path, store, filled, backend):
    backend_settings = f"{{type: async_http, url: '{backend.url}'}}"
    file_settings = "{type: file, log_file_path: sent.ndjson, append: true}"
    config = _config(tmp_path, f"transport: {{type: composite, transports: [{backend_settings}, {file_settings}]}}")
    assert store.forward(config).sent == 4
    assert len(backend.got) == len((tmp_path / "sent.ndjson").read_text().splitlines()) == 4


def test_the_environment_is_left_as_it_was(tmp_path, store, filled, backend, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "secret")
    before = dict(os.environ)
    store.forward(_config(tmp_path, f"transport: {{type: http, url: '{backend.url}'}}"))
    assert dict(os.environ) == before
    assert len(backend.got) == 4


def test_a_secret_is_a_reference_to_the_environment(tmp_path, store, filled, backend, monkeypatch):
    config = _config(
        tmp_path, "transport: {type: http, url: 'env:LINEAGE_URL', auth: {type: api_key, apiKey: 'env:LINEAGE_KEY'}}"
    )
    monkeypatch.setenv("LINEAGE_URL", backend.url)
    with pytest.raises(DefinitionError, match="LINEAGE_KEY"):
        store.forward(config)
    monkeypatch.setenv("LINEAGE_KEY", "k")
    assert store.forward(config).sent == 4


@pytest.mark.parametrize(
    "text", ["transport: [", "transport: {url: x}", "transport: {type: pigeon}", "transport: {type: http}", "- a"]
)
def test_a_configuration_that_cannot_be_used_says_so(tmp_path, store, filled, text):
    with pytest.raises(DefinitionError, match=r"openlineage\.yml"):
        store.forward(_config(tmp_path, text))
    assert store.waiting() == 4
