"""Several processes at once lose nothing, and killing one at any moment leaves the published data readable."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from sqlalchemy import text

from ecluse.engine import Engine
from ecluse.errors import Conflict
from ecluse.store import Database
from ecluse.warehouse import Warehouse

CYCLES = 3
COLUMNS = {"id": "BIGINT", "cycle": "BIGINT"}


def publish_cycles(root, url, partition, barrier):
    database = Database(url)
    warehouse, engine = Warehouse(root, database), Engine(threads=1)
    barrier.wait()
    for cycle in range(CYCLES):
        candidate = warehouse.begin("clean.t", COLUMNS, partition=partition, run_id=f"{partition}{cycle}", attempt=1)
        sql = f"SELECT i::BIGINT AS id, {cycle}::BIGINT AS cycle FROM range(100) r(i)"
        candidate = warehouse.write(engine, candidate, sql, "replace")
        while True:
            try:
                prepared = warehouse.prepare([candidate], {"clean.t": f"{partition}-{cycle}"})
                with database.transaction() as connection:
                    prepared.apply(connection)
            except Conflict:
                candidate = warehouse.rebase(candidate)
            else:
                break


def test_a_run_that_begins_while_another_publishes_waits_and_both_go_on(tmp_path, postgresql_url, monkeypatch):
    """One takes its lease and then moves the table, the other moves the table and then ends its lease."""
    database, engine = Database(postgresql_url), Engine(threads=1)
    warehouse = Warehouse(tmp_path / "warehouse", database)
    candidate = warehouse.begin("clean.t", COLUMNS, partition="a", run_id="one", attempt=1)
    sql = "SELECT 1::BIGINT AS id, 0::BIGINT AS cycle"
    prepared = warehouse.prepare([warehouse.write(engine, candidate, sql, "replace")])
    lock, begun = warehouse._catalog.lock, []

    def begin():
        begun.append(warehouse.begin("clean.t", COLUMNS, partition="b", run_id="two", attempt=1))

    other = threading.Thread(target=begin)

    def locked(connection, dataset):
        found = lock(connection, dataset)
        other.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        for _ in range(1000):
            with database.reading() as looking:
                if looking.execute(waiting).scalar():
                    break
            time.sleep(0.01)
        return found

    monkeypatch.setattr(warehouse._catalog, "lock", locked)
    with database.transaction() as connection:
        prepared.apply(connection)
    other.join()
    assert warehouse.head("clean.t") == prepared.candidates[0].snapshot_id
    assert [found.partition for found in begun] == ["b"]
    engine.close()
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_publish_partitions_of_a_new_table_at_once(tmp_path, request, kind):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    url = f"sqlite:///{tmp_path / 'new' / 'ecluse.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    arguments = [(tmp_path / "warehouse", url, partition, barrier) for partition in "ab"]
    workers = [context.Process(target=publish_cycles, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    database = Database(url)
    warehouse = Warehouse(tmp_path / "warehouse", database)
    head = warehouse.head("clean.t")
    with Engine() as engine:
        scan = warehouse.scan("clean.t", head)
        assert engine.rows(f"SELECT count(*), min(cycle), max(cycle) FROM {scan}") == [(200, CYCLES - 1, CYCLES - 1)]
    assert len(warehouse.history("clean.t")) == 2 * CYCLES
    assert len(warehouse.tags("clean.t")) == 2 * CYCLES
    assert warehouse.candidates() == []
    database.close()


KILLED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from ecluse.engine import Engine
    from ecluse.store import Database
    from ecluse.warehouse import Warehouse

    root, start = Path(sys.argv[1]), int(sys.argv[2])
    database = Database(f"sqlite:///{root / 'ecluse.db'}")
    warehouse, engine = Warehouse(root / "warehouse", database), Engine(threads=1)
    for number in range(start, start + 1000):
        candidates = []
        for dataset in ("clean.t", "clean.t__quarantine"):
            candidate = warehouse.begin(dataset, {"id": "BIGINT"}, partition=str(number), run_id=str(number), attempt=1)
            candidates.append(warehouse.write(engine, candidate, f"SELECT {number}::BIGINT AS id", "replace"))
        with database.transaction() as connection:
            warehouse.prepare(candidates).apply(connection)
        print(number, flush=True)
    """
)


def test_a_killed_process_leaves_both_tables_whole_and_equal(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'ecluse.db'}")
    warehouse = Warehouse(tmp_path / "warehouse", database)
    confirmed = []
    for trial in range(2):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(trial * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            confirmed.append(int(process.stdout.readline()))
            time.sleep(random.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            confirmed += [int(line) for line in process.stdout]
        with Engine() as engine:
            found = [
                {row[0] for row in engine.rows(f"SELECT id FROM {warehouse.scan(dataset, warehouse.head(dataset))}")}
                for dataset in ("clean.t", "clean.t__quarantine")
            ]
        assert found[0] == found[1]
        assert set(confirmed) <= found[0]
        assert len(found[0]) <= len(confirmed) + trial + 1
    database.close()
