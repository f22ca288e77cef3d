"""Processes that publish at the same time: ``python -m benchmarks.races --processes 4 --cycles 20 --postgresql``.

Each process carries out whole guarded steps: it replaces a partition of its own, replaces a partition that all share,
and appends to a dataset that all share. A step that is refused because another one was faster is tried again, as an
orchestrator does. At the end rows, quarantine, log, publications, lineage and Iceberg's history must tell the same
story, and each confirmed publication must be in it exactly once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import random
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import select

from benchmarks import postgresql
from benchmarks.trial_project import guard, make, opened
from ecluse.errors import Conflict
from ecluse.model.names import quarantine_name
from ecluse.model.step import StepDefinition
from ecluse.step.run import run_step
from ecluse.step.services import Services
from ecluse.step.state import Ending, StepRequest
from ecluse.store.schema import publications

OWN, SHARED, KEPT = "clean.own", "clean.shared", "clean.kept"
DATASETS = (OWN, SHARED, KEPT)
ROWS = 5
#: How long a step is tried again before the race counts as lost for good.
PATIENCE = 300.0


@dataclass(frozen=True)
class Turn:
    """One publication that one process wants: which dataset, which partition, and the rows that stand for it alone."""

    dataset: str
    worker: int
    cycle: int

    @property
    def partition(self) -> str | None:
        return {OWN: f"w{self.worker}", SHARED: "shared", KEPT: None}[self.dataset]

    @property
    def first(self) -> int:
        """The first of its ids, which no other turn has."""
        return ((self.cycle * 100 + self.worker) * len(DATASETS) + DATASETS.index(self.dataset)) * (ROWS + 1)

    @property
    def good(self) -> set[int]:
        return {self.first + i for i in range(1, ROWS + 1)}

    @property
    def run_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.dataset}/{self.worker}/{self.cycle}"))

    def step(self) -> StepDefinition:
        """The rows of this turn; the first breaks a promise, and is quarantined."""

        def rows() -> str:
            amount = f"CASE WHEN i = 0 THEN -1 ELSE {self.cycle} END"
            return f"SELECT i + {self.first} AS id, {amount} AS amount FROM range({ROWS + 1}) r(i)"

        # NOTE: the key is asked of the whole table, so whoever lost a race must ask again.
        update = "append" if self.dataset == KEPT else "replace"
        return StepDefinition(self.dataset, guard(self.dataset, quarantine=True), "asset", rows, update=update)


def take_turns(folder: Path, worker: int, cycles: int, pipe: Connection) -> None:
    """What one process does: every turn until it is confirmed; it tells how often each was refused."""
    services = opened(folder)
    pipe.send("ready")
    pipe.recv()
    chance, refused = random.Random(worker), Counter[str]()
    for cycle in range(cycles):
        for dataset in chance.sample(DATASETS, len(DATASETS)):
            turn, attempt, began = Turn(dataset, worker, cycle), 0, time.monotonic()
            while True:
                attempt += 1
                try:
                    result = run_step(turn.step(), StepRequest(turn.run_id, turn.partition, attempt), services)
                except Conflict as error:
                    refused[error.key] += 1
                    if time.monotonic() - began > PATIENCE:
                        raise
                    time.sleep(chance.uniform(0.02, 0.2))
                else:
                    assert result.ending is Ending.PUBLISHED, f"{turn} ended as {result.ending}: {result.blocks}"
                    break
    pipe.send(dict(refused))
    services.close()


def race(folder: Path, processes: int, cycles: int, database: str | None = None) -> Counter[str]:
    """Let processes race, and look at what is left: ``AssertionError`` if it is wrong. How often a step was refused."""
    make(folder, database)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.races"])
    pipes, workers = [], []
    for worker in range(processes):
        ours, its = context.Pipe()
        workers.append(context.Process(target=take_turns, args=(folder, worker, cycles, its)))
        workers[-1].start()
        its.close()
        pipes.append(ours)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    refused = Counter[str]()
    for pipe, process in zip(pipes, workers, strict=True):
        with contextlib.suppress(EOFError):
            refused.update(pipe.recv())
        process.join()
    assert [process.exitcode for process in workers] == [0] * processes
    services = opened(folder)
    try:
        _agree(services, [Turn(d, w, c) for d in DATASETS for w in range(processes) for c in range(cycles)])
    finally:
        services.close()
    return refused


def _agree(services: Services, turns: list[Turn]) -> None:
    """Every record tells of every turn exactly once, in one order; the rows are what the last in that order left."""
    services.log.verify()
    told = {dataset: [] for dataset in DATASETS}
    for signed in services.log.facts(kind="publication"):
        told[signed.fact.predicate["dataset"]].append(signed.fact.predicate)
    complete = Counter(
        event["outputs"][0]["facets"]["version"]["datasetVersion"]
        for event in services.events.events()
        if event["eventType"] == "COMPLETE" and event["job"]["name"] in DATASETS
    )
    with services.database.reading() as connection:
        rows = connection.execute(
            select(publications.c.dataset, publications.c.run_id, publications.c.snapshot_id)
        ).all()
    by_run = {turn.run_id: turn for turn in turns}
    for dataset in DATASETS:
        facts, wanted = told[dataset], {turn.run_id for turn in turns if turn.dataset == dataset}
        assert Counter(fact["run_id"] for fact in facts) == Counter(wanted), f"the log is wrong about {dataset}"
        order = [int(fact["snapshot_id"]) for fact in facts]
        assert tuple(reversed(order)) == services.warehouse.history(dataset), f"the log and Iceberg differ in {dataset}"
        assert [complete.pop(str(snapshot), 0) for snapshot in order] == [1] * len(order), f"lineage of {dataset}"
        # NOTE: the first stands on the empty snapshot that every table begins with.
        before = [int(fact["previous_snapshot_id"]) for fact in facts[1:]]
        assert before == order[:-1], f"the log skips a version of {dataset}"
        recorded = {(row.run_id, row.snapshot_id) for row in rows if row.dataset == dataset}
        assert recorded == {(fact["run_id"], fact["snapshot_id"]) for fact in facts}
        standing: dict[str | None, list[Turn]] = {}
        for fact in facts:
            turn = by_run[fact["run_id"]]
            standing[turn.partition] = [*(standing.get(turn.partition, []) if dataset == KEPT else []), turn]
        left = [turn for turns in standing.values() for turn in turns]
        rows_left = Counter(id for turn in left for id in turn.good)
        assert (found := _ids(services, dataset)) == rows_left, (
            f"rows of {dataset}: {found} and not {rows_left}; {left} {facts[-2:]}"
        )
        held = Counter(turn.first for turn in left)
        assert _ids(services, quarantine_name(dataset)) == held, f"quarantine of {dataset}"
    assert not complete, "lineage tells of publications that are none"
    assert services.warehouse.candidates() == [], "a candidate is left"
    # NOTE: who loses a race leaves a metadata file that nothing refers to, for the next sweep; never data.
    left_over = [orphan.path for orphan in services.warehouse.sweep(grace=timedelta(0), dry_run=True)]
    assert not [path for path in left_over if "/data/" in path], f"left: {left_over}"


def _ids(services: Services, dataset: str) -> Counter[int]:
    head = services.warehouse.head(dataset)
    assert head is not None, f"nothing is published of {dataset}"
    with services.engine() as engine:
        return Counter(row[0] for row in engine.rows(f"SELECT id FROM {services.warehouse.scan(dataset, head)}"))


def main() -> None:
    """Race, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server instead of SQLite")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgresql.server()).database() if given.postgresql else None
        refused = race(folder, given.processes, given.cycles, database)
    found = {
        "database": "PostgreSQL" if given.postgresql else "SQLite",
        "processes": given.processes,
        "cycles": given.cycles,
        "publications": given.processes * given.cycles * len(DATASETS),
        "refused": dict(refused),
        "seconds": round(time.monotonic() - began, 1),
    }
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['publications']} publications by {given.processes} processes on {found['database']}", end="")
    print(f", {found['seconds']} s")
    print(f"  refused because another one was faster, and tried again   {refused.total()}  {dict(refused)}")
    print("  rows, quarantine, log, publications, lineage and Iceberg's history agree; nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
