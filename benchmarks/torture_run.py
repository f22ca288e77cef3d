"""Kills ``ecluse run`` of the reference project at random times: ``python -m benchmarks.torture_run --trials 20``.

In a copy of the project a month of flights arrives again and again, each time with one line more or less, and the
command that collects it is killed (SIGKILL), Dagster included. After each kill the month must be whole, as it was or
as it arrived, the log must hold, and the same command run again must publish what arrived and leave no trace.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ecluse.project import Project
from ecluse.step.services import Services, open_services

ROOT = Path(__file__).parents[1]
COPIED = ("assets", "charter.yaml", "dagster_home/dagster.yaml", "expectations", "pipelines", "pyproject.toml")
SOURCE, MONTH = "raw.flights", "2013-02"


@dataclass
class Copy:
    """A copy of the reference project, in which the flights of one month have arrived."""

    folder: Path
    killed: int = 0

    def __post_init__(self) -> None:
        for name in COPIED:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.folder / name)
        deliver = f"from pipelines.arrivals import deliver_month; print(deliver_month({MONTH!r}))"
        done = subprocess.run(self._python(deliver), check=True, capture_output=True, text=True, **self._where())
        self.file = Path(done.stdout.strip())
        self.lines = self.file.read_bytes().splitlines(keepends=True)

    def _python(self, code: str, *arguments: str) -> list[str]:
        return [sys.executable, "-c", code, *arguments]

    def _where(self) -> dict[str, object]:
        kept = {k: v for k, v in os.environ.items() if k not in {"DAGSTER_HOME", "ECLUSE_PROFILE"}}
        return {"cwd": self.folder, "env": kept | {"ECLUSE_PROJECT": str(self.folder), "PYTHONPATH": str(ROOT)}}

    def arrive(self, rows: int) -> None:
        self.file.write_bytes(b"".join(self.lines[: rows + 1]))

    def collect(self, seconds: float | None = None) -> int:
        """``ecluse run``, killed after so many seconds; how it ended."""
        command = self._python("from ecluse.cli.app import main; main()", "run", SOURCE, "--partition", MONTH)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, **self._where()) as process:
            if seconds is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
                process.kill()
        self.killed += process.returncode == -signal.SIGKILL
        return process.returncode

    @contextlib.contextmanager
    def opened(self):
        services = open_services(Project.find(self.folder, "demo"))
        try:
            yield services
        finally:
            services.close()

    def trial(self, before: int, after: int, seconds: float) -> None:
        """Let the month arrive with other rows, kill its collection, and look: ``AssertionError`` if it is wrong."""
        self.arrive(after)
        code = self.collect(seconds)
        assert code in (0, -signal.SIGKILL), f"ended with {code}"
        with self.opened() as services:
            found = rows(services)
        assert found in ((after,) if code == 0 else (before, after)), f"{found} rows are published"
        assert self.collect() == 0, "the next run failed"
        with self.opened() as services:
            assert rows(services) == after
            assert services.warehouse.candidates() == [], "a candidate is left"


def rows(services: Services) -> int:
    """How many rows of the month are published, each file being what the log says; nought before the first."""
    services.log.verify()
    head = services.warehouse.head(SOURCE)
    if head is None:
        return 0
    services.warehouse.confirm(SOURCE, services.warehouse.files(SOURCE, head))
    newest = list(services.log.facts(kind="publication"))[-1].fact.predicate
    assert newest["snapshot_id"] == str(head), "the log tells of another version"
    with services.engine() as engine:
        return int(engine.scalar(f"SELECT count(*) FROM {services.warehouse.scan(SOURCE, head, {MONTH})}"))


def main() -> None:
    """Kill, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    chance, began = random.Random(given.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        wanted, before = len(copy.lines) - 1, 0
        started = time.monotonic()
        copy.arrive(wanted)
        assert copy.collect() == 0
        whole, before = time.monotonic() - started, wanted
        for number in range(given.trials):
            seconds = chance.uniform(0, whole)
            try:
                copy.trial(before, before := wanted - 1 - number % 2, seconds)
            except BaseException:
                print(f"seed {given.seed}, trial {number}: killed after {seconds:.2f} s of {whole:.2f}")
                raise
    print(f"{given.trials} runs of the reference project (seed {given.seed}), {copy.killed} killed", end="")
    print(f", {time.monotonic() - began:.1f} s")
    print(
        "  after each: the month whole as it was or as it arrived, the log holds, the next run publishes and cleans up"
    )


if __name__ == "__main__":
    main()
