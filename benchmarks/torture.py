"""Kills the guarded step at every stage and at random times: ``python -m benchmarks.torture --trials 500``.

Processes publish one generation of a partition each, at the same time: a source, an asset behind it with a quarantine
beside it, and a dataset to which the asset's rows are appended. One of them is killed (SIGKILL) on the way. After each
kill everything published must be readable and equal to whole generations, each publication that was confirmed must be
there, once, the log must hold, and the next run must publish at once, whatever the dead one held, and leave no trace
of it. The seed repeats the choice of the places, not the machine's timing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import postgresql
from benchmarks.trial_project import guard, make, opened
from ecluse.ledger import Log
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, In, StepDefinition, Table
from ecluse.step import publish, run
from ecluse.step.services import Services
from ecluse.step.state import Ending, StepRequest
from ecluse.warehouse import Prepared
from ecluse.warehouse.branches import Branches
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.folder import FolderStore

ROWS = 40
SOURCE, ASSET, KEPT = "raw.orders", "clean.orders", "products.orders"
STEPS = (SOURCE, ASSET, KEPT)
HELD = quarantine_name(ASSET)
DATASETS = (*STEPS, HELD)
PARTITIONS = ("2024-01", "2024-02")
EXPIRE_EVERY = 10

#: Where a process may be killed, beside the beginnings of the stages: as soon as the call is over.
CALLS: dict[str, tuple[object, str]] = {
    "data files are written": (FolderStore, "put"),
    "a metadata file is written": (Catalog, "stage"),
    "the snapshot is on its branch": (Branches, "_put"),
    "main is moved, not committed": (Prepared, "apply"),
    "the facts are appended, not committed": (Log, "append"),
    "everything is written, not committed": (publish, "record"),
    "everything is committed": (run, "_result"),
}
STAGES = tuple(stage.__name__ for stage in run.STAGES)
PLACES = (*STAGES, *CALLS)

#: What the partitions of a dataset hold: for each, the generation that is there whole.
Found = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Blow:
    """One kill: in which step, and at which place or after how many seconds."""

    step: str
    place: str | None = None
    seconds: float | None = None


def steps(folder: Path) -> tuple[StepDefinition, ...]:
    """The source, the asset made from it, with a row that breaks a promise, and the dataset that keeps all its rows."""

    def collected(partition: str) -> Files:
        return Files(folder / f"{partition}.csv")

    def orders(raw: Table) -> str:  # noqa: ARG001 - its name is what the SQL reads
        return "SELECT id, amount FROM raw"

    kept = guard(KEPT, ("id", "amount"), quarantine=False)
    return (
        StepDefinition(SOURCE, guard(SOURCE, quarantine=False), "source", collected),
        StepDefinition(ASSET, guard(ASSET, quarantine=True), "asset", orders, (In("raw", SOURCE),), "row"),
        StepDefinition(KEPT, kept, "asset", orders, (In("raw", ASSET),), "row", "append"),
    )


def rows_of(dataset: str, partition: str, generation: int) -> list[tuple[int, int]]:
    """What a partition of a dataset holds after a generation was published; nothing before the first."""
    first = PARTITIONS.index(partition) * 1000
    good = [(first + i, generation) for i in range(1, ROWS + 1)]
    bad = [(first, -1 - generation)]
    if dataset == KEPT:
        return sorted((id, amount) for amount in range(1, generation + 1) for id, _ in good)
    return {SOURCE: bad + good, ASSET: good, HELD: bad}[dataset] if generation else []


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(place: str) -> None:
    """Let this process die at a place."""
    if place in CALLS:
        holder, name = CALLS[place]
        setattr(holder, name, _deadly(getattr(holder, name)))
    else:
        run.STAGES = tuple(die if stage.__name__ == place else stage for stage in run.STAGES)


def _deadly(call: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(call)
    def deadly(*given: object, **more: object) -> None:
        call(*given, **more)
        die()

    return deadly


def run_id(step: str, partition: str, generation: int, again: str = "") -> str:
    """The id of the run that publishes a generation of a partition, or of another one after it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{step}/{partition}/{generation}/{again}"))


def request(run: str, partition: str, attempt: int = 1) -> StepRequest:
    return StepRequest(run, partition, attempt, input_partitions={"raw": frozenset({partition})})


def publish_generation(folder: Path, partition: str, generation: int, blow: Blow | None, pipe: Connection) -> None:
    """What a process does, which may be killed: it tells of each publication as soon as it is confirmed."""
    services = opened(folder)
    pipe.send("ready")
    pipe.recv()
    for step in steps(folder):
        if blow is not None and step.name == blow.step and blow.place is not None:
            arm(blow.place)
        run.run_step(step, request(run_id(step.name, partition, generation), partition), services)
        pipe.send(step.name)
    services.close()


@dataclass
class Torture:
    """A project that is published again and again by processes that are killed; ``database`` is a URL, or SQLite's."""

    folder: Path
    database: str | None = None
    services: Services = field(init=False)
    generation: int = 0
    trials: int = 0
    killed: int = 0
    swept: int = 0

    def __post_init__(self) -> None:
        make(self.folder, self.database)
        self.services = opened(self.folder)
        self._context = multiprocessing.get_context("forkserver")
        # NOTE: imported once; every process that is killed is a fork of one that did nothing else.
        self._context.set_forkserver_preload(["benchmarks.torture"])

    def trial(self, blow: Blow) -> None:
        """Publish the next generation, kill on the way, and look at what is left: ``AssertionError`` if it is wrong."""
        before, self.generation = self.generation, self.generation + 1
        self.trials += 1
        for partition in PARTITIONS:
            lines = [f"{id},{amount}" for id, amount in rows_of(SOURCE, partition, self.generation)]
            (self.folder / f"{partition}.csv").write_text("\n".join(["id,amount", *lines, ""]))
        victim = PARTITIONS[self.generation % len(PARTITIONS)]
        confirmed = self._strike(victim, blow)
        found = self._published()
        for cell, generation in found.items():
            assert generation in (before, self.generation), f"{cell} holds generation {generation}"
        for cell in confirmed:
            assert found[cell] == self.generation, f"{cell} was confirmed and is not there"
        for partition in PARTITIONS:
            together = found[ASSET, partition] == found[HELD, partition]
            assert together, "the asset and its quarantine are of two generations"
        self._records(found)
        self._run_again(victim, found)
        self._clean()

    def _strike(self, victim: str, blow: Blow) -> set[tuple[str, str]]:
        """Publish a generation of all partitions at once, and kill the process of one; what was confirmed."""
        pipes, processes = {}, {}
        for partition in PARTITIONS:
            pipes[partition], its = self._context.Pipe()
            arguments = (self.folder, partition, self.generation, blow if partition == victim else None, its)
            processes[partition] = self._context.Process(target=publish_generation, args=arguments)
            processes[partition].start()
            its.close()
        for pipe in pipes.values():
            assert pipe.recv() == "ready"
        for pipe in pipes.values():
            pipe.send("go")
        if blow.seconds is not None:
            time.sleep(blow.seconds)
            processes[victim].kill()
        confirmed = set()
        for partition, pipe in pipes.items():
            with contextlib.suppress(EOFError, ConnectionResetError):
                while True:
                    confirmed.add((pipe.recv(), partition))
            processes[partition].join()
            pipe.close()
        code = processes.pop(victim).exitcode
        self.killed += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL), f"ended with {code}"
        assert blow.place is None or code != 0, f"nobody came by {blow.place!r} in {blow.step}"
        for partition, other in processes.items():
            assert other.exitcode == 0, f"the run of {partition} ended with {other.exitcode}, and nobody killed it"
            assert {(step, partition) for step in STEPS} <= confirmed
        return confirmed

    def _published(self) -> Found:
        """The generation that each partition holds, whole; ``AssertionError`` where it is a mixture."""
        found = {}
        with self.services.engine() as engine:
            for dataset in DATASETS:
                head = self.services.warehouse.head(dataset)
                files = self.services.warehouse.files(dataset, head) if head else ()
                for partition in PARTITIONS:
                    there = head is not None and any(file.partition == partition for file in files)
                    scan = self.services.warehouse.scan(dataset, head, {partition}) if there else _NOTHING
                    rows = engine.rows(f"SELECT id, amount FROM {scan} ORDER BY ALL")
                    # NOTE: the bad row of a generation is one further from nought than its good ones.
                    newest = max((abs(amount) for _, amount in rows), default=0)
                    generation = newest - (1 if rows and dataset in {SOURCE, HELD} else 0)
                    assert rows == rows_of(dataset, partition, generation), f"{dataset} {partition} holds {rows}"
                    found[dataset, partition] = generation
        return found

    def _records(self, found: Found) -> None:
        """The log holds, and says exactly what is published; lineage has an end for each publication."""
        self.services.log.verify()
        newest: dict[str, dict[str, object]] = {}
        published: Counter[tuple[str, str]] = Counter()
        for signed in self.services.log.facts(kind="publication"):
            said = signed.fact.predicate
            newest[said["dataset"]] = said
            published[said["dataset"], said["run_id"]] += 1
        assert set(published.values()) <= {1}, "one run published twice"
        for dataset in STEPS:
            head = self.services.warehouse.head(dataset)
            said = newest.get(dataset)
            assert (str(head) if head else None) == (said and said["snapshot_id"]), f"the log differs for {dataset}"
        held = self.services.warehouse.head(HELD)
        if any(found[ASSET, partition] for partition in PARTITIONS):
            assert newest[ASSET]["quarantine"]["snapshot_id"] == str(held)  # type: ignore[index]
        ended = sum(
            fact.fact.predicate["outcome"] in ("published", "unchanged") for fact in self.services.log.facts(kind="run")
        )
        complete = sum(
            event["eventType"] == "COMPLETE" and event["job"]["name"] in STEPS
            for event in self.services.events.events()
        )
        assert ended == complete, "lineage and the log tell of different publications"

    def _run_again(self, victim: str, found: Found) -> None:
        """The same run's next attempt, or another run, publishes what is missing: at once, whoever held what."""
        again = "again" if self.generation // len(PARTITIONS) % 2 else ""
        for step in steps(self.folder):
            id = run_id(step.name, victim, self.generation, again)
            ending = run.run_step(step, request(id, victim, 1 if again else 2), self.services).ending
            wanted = Ending.UNCHANGED if found[step.name, victim] == self.generation else Ending.PUBLISHED
            assert ending is wanted, f"the next run of {step.name} ended as {ending}"
        assert set(self._published().values()) == {self.generation}

    def _clean(self) -> None:
        """No branch, lease or file of the dead run is left."""
        warehouse = self.services.warehouse
        assert warehouse.candidates() == [], f"left behind: {warehouse.candidates()}"
        if self.trials % EXPIRE_EVERY == 0:
            for dataset in warehouse.datasets():
                warehouse.expire(dataset, (), timedelta(0))
        self.swept += len(warehouse.sweep(grace=timedelta(0)))
        assert warehouse.sweep(grace=timedelta(0)) == ()
        assert set(self._published().values()) == {self.generation}

    def close(self) -> None:
        self.services.close()


_NOTHING = "(SELECT 0 AS id, 0 AS amount LIMIT 0)"


def blow_of(number: int, chance: random.Random) -> Blow:
    """Every place in turn, in every step, and every third kill at a random time."""
    if number % 3 == 2:
        return Blow("", seconds=chance.uniform(0, 2.5))
    return Blow(chance.choice(STEPS), place=chance.choice(PLACES))


def torture(database: str, trials: int, seed: int) -> dict[str, object]:
    """Kill so many times on a database of a kind; what was found."""
    chance, began = random.Random(seed), time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgresql.server()).database() if database == "PostgreSQL" else None
        tortured = stack.enter_context(contextlib.closing(Torture(folder, url)))
        for number in range(trials):
            blow = blow_of(number, chance)
            try:
                tortured.trial(blow)
            except BaseException:
                print(f"{database}, seed {seed}, trial {number}: {blow}")
                raise
            if (number + 1) % 50 == 0:
                print(f"{number + 1} trials on {database}", file=sys.stderr, flush=True)
    return {
        "database": database,
        "seed": seed,
        "trials": tortured.trials,
        "killed": tortured.killed,
        "swept_files": tortured.swept,
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Kill, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--database", choices=["both", "SQLite", "PostgreSQL"], default="both")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    databases = ["SQLite", "PostgreSQL"] if given.database == "both" else [given.database]
    if not postgresql.installed() and "PostgreSQL" in databases:
        databases.remove("PostgreSQL")
        print(f"PostgreSQL {postgresql.MISSING}: all trials are SQLite's.")
    for number, database in enumerate(databases):
        trials = (given.trials + number) // len(databases)
        found = torture(database, trials, given.seed)
        if given.json:
            print(json.dumps(found))
            continue
        print(f"{trials} trials on {database} (seed {given.seed}), {found['killed']} processes killed", end="")
        print(f", {found['seconds']} s")
        print("  after each: readable, whole generations, every confirmed publication there once, the log holds,")
        print("  and the next run published at once and cleaned up")
        print(f"  files of dead runs and expired snapshots swept   {found['swept_files']:,}")


if __name__ == "__main__":
    main()
