"""Kills the guarded step at every stage and at random times: ``python -m benchmarks.torture --trials 500``.

A process publishes one generation of a source and of the asset behind it, with a quarantine beside it, and is killed
(SIGKILL) on the way. After each kill everything published must be readable and equal to one whole generation, each
publication that was confirmed must be there, the log must hold, and the next run must publish and leave no trace of
the dead one. The seed repeats the choice of the places, not the machine's timing.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe

from ecluse.ledger import Log
from ecluse.model.contract import Column, Contract
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files, Guard, In, StepDefinition, Table
from ecluse.project import Project
from ecluse.step import publish, run
from ecluse.step.services import Services, open_services
from ecluse.step.state import Ending, StepRequest
from ecluse.warehouse import Prepared, Warehouse, branches
from ecluse.warehouse.branches import Branches
from ecluse.warehouse.catalog import Catalog

ROWS = 40
SOURCE, ASSET = "raw.orders", "clean.orders"
HELD = quarantine_name(ASSET)
#: Short, so that a dead run's lease is soon over; who holds one is asked, and not since when.
LEASE = timedelta(milliseconds=300)
EXPIRE_EVERY = 10

CHARTER = """
project: torture
problem: Does a crash lose a row?
phase: trial
phases: [trial]
purposes: [{id: counting, description: count rows}]
gates: [{phase: trial}]
parties: [{id: pipeline, attests: [run, publication, evidence]}]
"""

#: Where a process may be killed, beside the beginnings of the stages: as soon as the call is over.
CALLS: dict[str, tuple[object, str]] = {
    "data files are written": (branches, "write_files"),
    "a metadata file is written": (Catalog, "stage"),
    "the snapshot is on its branch": (Branches, "_put"),
    "main is moved, not committed": (Prepared, "apply"),
    "the facts are appended, not committed": (Log, "append"),
    "everything is written, not committed": (publish, "_record"),
    "everything is committed": (run, "_result"),
}
STAGES = tuple(stage.__name__ for stage in run.STAGES)
PLACES = (*STAGES, *CALLS)


@dataclass(frozen=True)
class Blow:
    """One kill: in which step, and at which place or after how many seconds."""

    step: str
    place: str | None = None
    seconds: float | None = None


def steps(folder: Path) -> tuple[StepDefinition, StepDefinition]:
    """The source and the asset that is made from it; one of its rows breaks a promise and is quarantined."""

    def collected() -> Files:
        return Files(folder / "orders.csv")

    def orders(raw: Table) -> str:  # noqa: ARG001 - its name is what the SQL reads
        return "SELECT id, amount FROM raw"

    columns = (Column("id", "BIGINT"), Column("amount", "BIGINT"))
    promised = Contract(columns=columns, key=("id",), owner="torture", licence="CC0-1.0")
    strict = replace(promised, on_failure="quarantine", quarantine_at_most=0.5)
    positive = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, severity="critical")
    anything = gx.ExpectationSuite("raw.orders")
    suite = gx.ExpectationSuite("clean.orders", expectations=[positive])
    return (
        StepDefinition(SOURCE, Guard(promised, lambda: anything), "source", collected),
        StepDefinition(ASSET, Guard(strict, lambda: suite), "asset", orders, (In("raw", SOURCE),), "row"),
    )


def rows_of(dataset: str, generation: int) -> list[tuple[int, int]]:
    """What a dataset holds after a generation was published; nothing before the first."""
    good = [(i, generation) for i in range(1, ROWS + 1)]
    bad = [(0, -1 - generation)]
    return {SOURCE: bad + good, ASSET: good, HELD: bad}[dataset] if generation else []


def opened(folder: Path) -> Services:
    services = open_services(Project.find(folder, "demo"))
    return replace(services, warehouse=Warehouse(services.project.warehouse, services.database, lease=LEASE))


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


def run_id(step: str, generation: int, again: str = "") -> str:
    """The id of the run that publishes a generation of a dataset, or of another one after it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{step}/{generation}/{again}"))


def publish_generation(folder: Path, generation: int, blow: Blow, pipe: Connection) -> None:
    """What the process does that is killed: it tells of each publication as soon as it is confirmed."""
    services = opened(folder)
    pipe.send("ready")
    for step in steps(folder):
        if step.name == blow.step and blow.place is not None:
            arm(blow.place)
        run.run_step(step, StepRequest(run_id(step.name, generation)), services)
        pipe.send(step.name)
    services.close()


@dataclass
class Torture:
    """A project that is published again and again by processes that are killed."""

    folder: Path
    services: Services = field(init=False)
    generation: int = 0
    trials: int = 0
    killed: int = 0
    swept: int = 0

    def __post_init__(self) -> None:
        (self.folder / "charter.yaml").write_text(CHARTER)
        self.services = opened(self.folder)
        self._context = multiprocessing.get_context("forkserver")
        # NOTE: imported once; every process that is killed is a fork of one that did nothing else.
        self._context.set_forkserver_preload(["benchmarks.torture"])

    def trial(self, blow: Blow) -> None:
        """Publish the next generation, kill on the way, and look at what is left: ``AssertionError`` if it is wrong."""
        before, self.generation = self.generation, self.generation + 1
        self.trials += 1
        lines = [f"{i},{amount}" for i, amount in rows_of(SOURCE, self.generation)]
        (self.folder / "orders.csv").write_text("\n".join(["id,amount", *lines, ""]))
        confirmed = self._strike(blow)
        found = self._published()
        for dataset, generation in found.items():
            assert generation in (before, self.generation), f"{dataset} holds generation {generation}"
        for dataset in confirmed:
            assert found[dataset] == self.generation, f"{dataset} was confirmed and is not there"
        assert found[ASSET] == found[HELD], "the asset and its quarantine are of two generations"
        self._records(found)
        self._run_again(found)
        self._clean()

    def _strike(self, blow: Blow) -> set[str]:
        """Run a generation in a process and kill it; what it confirmed before."""
        ours, its = self._context.Pipe(duplex=False)
        process = self._context.Process(target=publish_generation, args=(self.folder, self.generation, blow, its))
        process.start()
        its.close()
        told = []
        try:
            told.append(ours.recv())
            if blow.seconds is not None:
                time.sleep(blow.seconds)
                process.kill()
            while True:
                told.append(ours.recv())
        except EOFError:
            process.join()
        self.killed += process.exitcode == -signal.SIGKILL
        assert process.exitcode in (0, -signal.SIGKILL), f"ended with {process.exitcode}"
        assert blow.place is None or process.exitcode != 0, f"nobody came by {blow.place!r} in {blow.step}"
        return set(told) - {"ready"}

    def _published(self) -> dict[str, int]:
        """The generation that each dataset holds, whole; ``AssertionError`` where it is a mixture."""
        found = {}
        with self.services.engine() as engine:
            for dataset in (SOURCE, ASSET, HELD):
                head = self.services.warehouse.head(dataset)
                source = (
                    self.services.warehouse.scan(dataset, head) if head else "(SELECT 0 AS id, 0 AS amount LIMIT 0)"
                )
                rows = engine.rows(f"SELECT id, amount FROM {source} ORDER BY id")
                amount = rows[-1][1] if rows else 0
                found[dataset] = amount if amount >= 0 else -1 - amount
                assert rows == rows_of(dataset, found[dataset]), f"{dataset} holds {rows}"
        return found

    def _records(self, found: dict[str, int]) -> None:
        """The log holds, and says exactly what is published; lineage has an end for each publication."""
        self.services.log.verify()
        newest: dict[str, dict[str, object]] = {}
        published: Counter[tuple[str, str]] = Counter()
        for signed in self.services.log.facts(kind="publication"):
            said = signed.fact.predicate
            newest[said["dataset"]] = said
            published[said["dataset"], said["run_id"]] += 1
        assert set(published.values()) <= {1}, "one run published twice"
        for dataset in (SOURCE, ASSET):
            head = self.services.warehouse.head(dataset)
            said = newest.get(dataset)
            assert (str(head) if head else None) == (said and said["snapshot_id"]), f"the log differs for {dataset}"
        held = self.services.warehouse.head(HELD)
        if found[ASSET]:
            assert newest[ASSET]["quarantine"]["snapshot_id"] == str(held)  # type: ignore[index]
        ended = sum(
            fact.fact.predicate["outcome"] in ("published", "unchanged") for fact in self.services.log.facts(kind="run")
        )
        complete = sum(
            event["eventType"] == "COMPLETE" and event["job"]["name"] in (SOURCE, ASSET)
            for event in self.services.events.events()
        )
        assert ended == complete, "lineage and the log tell of different publications"

    def _run_again(self, found: dict[str, int]) -> None:
        """The same run's next attempt, or another run once the lease is over, publishes what is missing."""
        another = bool(self.generation % 2)
        if another:
            time.sleep(LEASE.total_seconds())
            self.services.warehouse.clean_expired()
        for step in steps(self.folder):
            request = StepRequest(run_id(step.name, self.generation), attempt=2)
            if another:
                request = StepRequest(run_id(step.name, self.generation, "again"))
            ending = run.run_step(step, request, self.services).ending
            wanted = Ending.UNCHANGED if found[step.name] == self.generation else Ending.PUBLISHED
            assert ending is wanted, f"the next run of {step.name} ended as {ending}"
        assert set(self._published().values()) == {self.generation}

    def _clean(self) -> None:
        """No branch, lease or file of the dead run is left."""
        warehouse = self.services.warehouse
        # NOTE: a run that died between its two tables holds a lease that only time ends.
        if warehouse.candidates():
            time.sleep(LEASE.total_seconds())
            warehouse.clean_expired()
        assert warehouse.candidates() == [], f"left behind: {warehouse.candidates()}"
        if self.trials % EXPIRE_EVERY == 0:
            for dataset in warehouse.datasets():
                warehouse.expire(dataset, (), timedelta(0))
        self.swept += len(warehouse.sweep(grace=timedelta(0)))
        assert warehouse.sweep(grace=timedelta(0)) == ()
        assert set(self._published().values()) == {self.generation}

    def close(self) -> None:
        self.services.close()


def blow_of(number: int, chance: random.Random) -> Blow:
    """Every place in turn, in both steps, and every third kill at a random time."""
    step = (SOURCE, ASSET)[number % 2]
    if number % 3 == 2:
        return Blow(step, seconds=chance.uniform(0, 1.2))
    return Blow(step, place=chance.choice(PLACES))


def main() -> None:
    """Kill, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chance, began = random.Random(given.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        torture = Torture(Path(folder))
        for number in range(given.trials):
            blow = blow_of(number, chance)
            try:
                torture.trial(blow)
            except BaseException:
                print(f"seed {given.seed}, trial {number}: {blow}")
                raise
        torture.close()
    found = {
        "seed": given.seed,
        "trials": torture.trials,
        "killed": torture.killed,
        "swept_files": torture.swept,
        "seconds": round(time.monotonic() - began, 1),
    }
    if given.json:
        print(json.dumps(found))
        return
    print(f"{torture.trials} trials (seed {given.seed}), {torture.killed} processes killed, {found['seconds']} s")
    print("  after each: readable, one whole generation, every confirmed publication there, the log holds")
    print(f"  files of dead runs and expired snapshots swept   {found['swept_files']:,}")


if __name__ == "__main__":
    main()
