"""What the door costs over DuckDB's bare read, at 10 million rows × 10 columns: ``python -m benchmarks.load_cost``.

Both sides give the same columns of the same files as one Arrow table, in turns, in one process. The first load of a
process hashes every file; later ones hash what changed. So hashing is measured apart, and is in no ratio. All of the
rest is: the log, the verdict, the catalog, the grant, and the signed record of the read.

``--facts 10000`` gives the project a history: what a reader's first load takes then, which verifies every signature of
the log, and what later ones take, which verify what is new.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import ecluse
from benchmarks.history import append_history
from benchmarks.storage_cost import COLUMNS, ROWS
from ecluse.charterfile import load_charter
from ecluse.door.files import verify_files
from ecluse.engine import Engine
from ecluse.ledger import Log, new_key, sign, signer_for, trust_of
from ecluse.model.charter import Charter
from ecluse.model.facts import Fact, Subject
from ecluse.model.release import Manifest, TableVersion
from ecluse.project import Project
from ecluse.store import Database
from ecluse.warehouse import Warehouse

DATASET = "products.wide"
PROFILE = "bench"
BAR = 1.3
CHARTER = """\
project: bench
problem: What does the door cost?
phase: trial
phases: [trial]
purposes: [{{id: study, description: study}}]
gates:
  - phase: trial
    criteria: [{{id: checks, measure: checks.broken, operator: "==", value: 0}}]
    approvals: [{{question: data-valid, role: data-steward}}]
parties:
  - id: pipeline
    attests: [run, publication, release, evidence]
    keys: [{{public: "{pipeline}", since: 2020-01-01}}]
  - id: ana
    roles: [{{name: data-steward, since: 2020-01-01}}]
    keys: [{{public: "{ana}", since: 2020-01-01}}]
  - id: model
    roles: [{{name: model-builder, since: 2020-01-01}}]
    keys: [{{public: "{model}", since: 2020-01-01}}]
grants: [{{role: model-builder, datasets: ["*"], purposes: [study], columns: {{public: clear}}}}]
"""


def make(root: Path, rows: int, facts: int = 0) -> Manifest:
    """A project with one release that is approved and open, and so many facts before it."""
    folder = root / f".ecluse/{PROFILE}/keys"
    keys = {party: new_key(folder, party).public for party in ("pipeline", "ana", "model")}
    (root / "charter.yaml").write_text(CHARTER.format(**keys))
    (root / "pyproject.toml").write_text(f'[tool.ecluse]\nname = "bench"\n[tool.ecluse.profiles.{PROFILE}]\n')
    project = Project.find(root, PROFILE)
    database = Database(project.database_url)
    warehouse = Warehouse(project.warehouse, database)
    with Engine() as engine:
        columns = engine.describe(ROWS.format(rows=rows))
        candidate = warehouse.begin(DATASET, columns, partition=None, run_id="run", attempt=1)
        candidate = warehouse.write(engine, candidate, ROWS.format(rows=rows), "replace")
    prepared = warehouse.prepare([candidate])
    with database.transaction() as connection:
        prepared.apply(connection)
    files = warehouse.files(DATASET, candidate.snapshot_id)
    table = TableVersion(DATASET, warehouse.table_uuid(DATASET), candidate.snapshot_id, files, "c1", "s1")
    manifest = Manifest("1.0.0", (table,), (), "pipeline", project.name, project.environment)
    charter = load_charter(project)
    log = Log(database, trust_of(charter, project))
    append_history(log, signer_for(project, charter, "pipeline"), facts, project.environment)
    _attest(project, database, manifest, columns)
    database.close()
    return manifest


def _attest(project: Project, database: Database, manifest: Manifest, columns: dict[str, str]) -> None:
    """The publication, its check report, the release and its approval, each signed by who may."""
    charter: Charter = load_charter(project)
    log = Log(database, trust_of(charter, project))
    before = log.size
    table = manifest.products[0]
    files = tuple(Subject(file.path, file.sha256) for file in table.files)
    release = (Subject(f"{DATASET}@{manifest.version}", manifest.digest),)
    listed = [{"name": name, "type": kind, "classification": "public"} for name, kind in columns.items()]
    check = {"name": "key", "outcome": "held", "severity": "critical", "scope": "batch"}
    said: list[tuple[str, str, tuple[Subject, ...], dict[str, Any]]] = [
        (
            "publication",
            "pipeline",
            files,
            {
                "dataset": DATASET,
                "snapshot_id": str(table.snapshot_id),
                "contract_digest": "c1",
                "suite_digest": "s1",
                "columns": listed,
            },
        ),
        (
            "evidence",
            "pipeline",
            files,
            {
                "about": "check-report",
                "dataset": DATASET,
                "outcome": "held",
                "suite_digest": "s1",
                "checks": [check],
                "accounting_outcome": "held",
                "personal": {"outcome": "held", "findings": []},
            },
        ),
        ("release", "pipeline", release, {"manifest": manifest.to_json()}),
        (
            "decision",
            "ana",
            release,
            {
                "verdict": "approved",
                "question": "data-valid",
                "phase": "trial",
                "gate_digest": charter.gate_digest("trial"),
                "reason": "counted",
                "seen": before + 3,
                "expires": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
            },
        ),
    ]
    with database.transaction() as connection:
        for kind, party, subjects, predicate in said:
            fact = Fact(kind, subjects, predicate, datetime.now(UTC), project.name, project.environment)
            log.append(connection, [sign(fact, signer_for(project, charter, party))])


def measure(rows: int, repeats: int, folder: Path | None = None, facts: int = 0) -> dict[str, float]:
    """Seconds on the clock and CPU seconds of hashing, of the bare read, and of the load; medians."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        root = Path(made)
        os.environ |= {"ECLUSE_PROJECT": str(root), "ECLUSE_PROFILE": PROFILE, "ECLUSE_READER": "model"}
        manifest = make(root, rows, facts)
        project = Project.find(root, PROFILE)
        database = Database(project.database_url, read_only=True)
        warehouse = Warehouse(project.warehouse, database)
        paths = [str(warehouse.path(file)) for file in manifest.products[0].files]
        database.close()
        hashed = _timed(lambda: verify_files(warehouse.objects, manifest.products))
        first = _timed(_load)
        sides: dict[str, Callable[[], object]] = {"bare": lambda: _bare(paths), "load": _load}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        # NOTE: the first round warms the disk's cache and lazy imports, and isn't counted.
        for number in range(repeats + 1):
            for name, work in sides.items():
                took = _timed(work)
                if number:
                    found[name].append(took)
        size = sum(file.bytes for file in manifest.products[0].files)
    return {
        "rows": rows,
        "megabytes": size / 1e6,
        "hash_seconds": hashed[0],
        "hash_cpu": hashed[1],
        "facts": facts,
        "first_cpu": first[1],
        **{f"{name}_seconds": statistics.median(wall for wall, _ in took) for name, took in found.items()},
        **{f"{name}_cpu": statistics.median(cpu for _, cpu in took) for name, took in found.items()},
        "ratio": _ratio(found, 0),
        "cpu_ratio": _ratio(found, 1),
    }


def _ratio(found: dict[str, list[tuple[float, float]]], which: int) -> float:
    """The median over the rounds of the load over the bare read, each with its neighbour in time."""
    return statistics.median(load[which] / bare[which] for bare, load in zip(found["bare"], found["load"], strict=True))


def _bare(paths: list[str]) -> int:
    with duckdb.connect() as connection:
        sql = f"SELECT {', '.join(COLUMNS)} FROM read_parquet({paths!r})"
        return int(connection.sql(sql).to_arrow_table().num_rows)


def _load() -> int:
    loaded = ecluse.load(DATASET, purpose="study")
    assert tuple(loaded.columns) == COLUMNS
    return int(loaded.arrow().num_rows)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    began, before = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - before


def main() -> None:
    """Print what each side took; an exit code of 1 where the load broke the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--facts", type=int, default=0, help="how many facts the log holds before the release")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the table is written; default: the temporary folder")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.rows, given.repeats, given.folder, given.facts)
    if given.json:
        print(json.dumps(found))
    else:
        print(f"{given.rows:,} rows × {len(COLUMNS)} columns, {found['megabytes']:.0f} MB, as Arrow; medians")
        print(f"  bare read_parquet   {found['bare_seconds']:.2f} s, {found['bare_cpu']:.2f} s of CPU")
        print(f"  ecluse.load         {found['load_seconds']:.2f} s, {found['load_cpu']:.2f} s of CPU")
        print(f"  ratio               {found['ratio']:.2f}, of CPU {found['cpu_ratio']:.2f}   (bar: {BAR})")
        print(f"  hashing, once       {found['hash_seconds']:.2f} s, {found['hash_cpu']:.2f} s of CPU")
        print(f"  the first load      {found['first_cpu']:.2f} s of CPU, with {given.facts:,} facts before the release")
    # NOTE: of CPU, because what else the machine does changes the clock, and not what a side needs.
    if found["cpu_ratio"] > BAR:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
