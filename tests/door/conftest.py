"""A small project with a real warehouse and a real log: one released product, which everybody approved."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.charterfile import load_charter
from ecluse.engine import Engine
from ecluse.ledger import Log, new_key, sign, signer_for, trust_of
from ecluse.model.canonical import digest_of_json
from ecluse.model.facts import Fact, Subject
from ecluse.model.release import Manifest, TableVersion
from ecluse.project import Project
from ecluse.store import Database
from ecluse.warehouse import Warehouse

CHARTER = """\
project: clinic
problem: Who comes back within a week?
phase: proof
phases: [proof, business]
purposes:
  - {{id: care, description: plan care}}
  - {{id: advertising, description: sell things, allowed: false}}
gates:
  - phase: proof
    approvals: [{{question: data-valid, role: data-steward}}]
  - phase: business
parties:
  - {{id: pipeline, attests: [run, publication, release, evidence, read]{keys[pipeline]}}}
  - id: ana
    roles: [{{name: data-steward, since: 2020-01-01}}]{keys_below[ana]}
  - id: model
    roles: [{{name: model-builder, since: 2020-01-01}}]{keys_below[model]}
  - id: guest{keys_below[guest]}
grants:
  - role: model-builder
    datasets: ["products.*"]
    purposes: [care, advertising]
    columns: {{public: clear, internal: clear, personal: pseudonym}}
    {more}
"""

PRODUCT = "products.patients"
COLUMNS = {
    "id": "BIGINT",
    "age": "INTEGER",
    "email": "VARCHAR",
    "illness": "VARCHAR",
    "_origin": "VARCHAR",
    "extra": "VARCHAR",
}
LISTED = [
    {"name": "id", "type": "BIGINT", "classification": "internal"},
    {"name": "age", "type": "INTEGER", "classification": "public"},
    {"name": "email", "type": "VARCHAR", "classification": "personal"},
    {"name": "illness", "type": "VARCHAR", "classification": "sensitive"},
]
ROWS = """SELECT * FROM (VALUES
    (9007199254740993::BIGINT, 30, 'x@example.org', 'flu', 'f:1', 'secret'), (2, NULL, NULL, 'cold', 'f:2', 'secret'),
    (3, 52, 'z@example.org', NULL, 'f:3', 'secret')) AS t(id, age, email, illness, _origin, extra)"""


@dataclass
class Clinic:
    project: Project
    database: Database
    warehouse: Warehouse

    @property
    def root(self) -> Path:
        return self.project.root

    def state(
        self, kind: str, who: str, predicate: dict[str, Any], *subjects: Subject, at: datetime | None = None
    ) -> int:
        charter = load_charter(self.project)
        log = Log(self.database, trust_of(charter, self.project))
        fact = Fact(kind, subjects, predicate, at or datetime.now(UTC), self.project.name, self.project.environment)
        with self.database.transaction() as connection:
            return log.append(connection, [sign(fact, signer_for(self.project, charter, who))])[0]

    def publish(self, dataset: str = PRODUCT, *, listed=LISTED, contract: str = "c1", rows: str = ROWS) -> TableVersion:
        with Engine(threads=1) as engine:
            candidate = self.warehouse.begin(dataset, COLUMNS, partition=None, run_id="r1", attempt=1)
            candidate = self.warehouse.write(engine, candidate, rows, "replace")
        prepared = self.warehouse.prepare([candidate])
        with self.database.transaction() as connection:
            prepared.apply(connection)
        files = self.warehouse.files(dataset, candidate.snapshot_id)
        table = TableVersion(dataset, self.warehouse.table_uuid(dataset), candidate.snapshot_id, files, contract, "s1")
        facts = {
            "dataset": dataset,
            "snapshot_id": str(candidate.snapshot_id),
            "contract_digest": contract,
            "columns": listed,
        }
        self.state("publication", "pipeline", facts | {"suite_digest": "s1"}, *self.subjects(table))
        self.check(table)
        return table

    def check(self, table: TableVersion, outcome: str = "held", **more: Any) -> None:
        check = {"name": "age_known", "outcome": outcome, "severity": "critical", "scope": "batch"}
        report = {
            "about": "check-report",
            "dataset": table.dataset,
            "outcome": outcome,
            "checks": [check],
            "suite_digest": "s1",
            "personal": {"outcome": "held", "findings": []},
        }
        self.state("evidence", "pipeline", report | more, *self.subjects(table))

    def release(self, *tables: TableVersion, version: str = "1.0.0", approve: bool = True) -> Manifest:
        manifest = Manifest(version, tables, (), "pipeline", self.project.name, self.project.environment)
        subjects = [Subject(f"{t.dataset}@{version}", manifest.digest) for t in tables]
        self.state("release", "pipeline", {"manifest": manifest.to_json()}, *subjects)
        if approve:
            self.decide(manifest)
        return manifest

    def decide(self, manifest: Manifest, **more: Any) -> None:
        charter = load_charter(self.project)
        decision = {
            "verdict": "approved",
            "question": "data-valid",
            "phase": "proof",
            "gate_digest": charter.gate_digest("proof"),
            "expires": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
            "reason": "looked at it",
            "seen": 10_000,
        }
        subjects = [Subject(f"{t.dataset}@{manifest.version}", manifest.digest) for t in manifest.products]
        self.state("decision", "ana", decision | more, *subjects)

    def reads(self) -> list[dict[str, Any]]:
        log = Log(Database(self.project.reads_url), trust_of(load_charter(self.project), self.project))
        try:
            return [signed.fact.predicate for signed in log.facts("read")]
        finally:
            log.database.close()

    def snapshot(self) -> dict[str, str]:
        """The bytes of everything that a reader must leave alone."""
        kept = [p for p in sorted(self.root.rglob("*")) if p.is_file() and not p.name.startswith("reads.db")]
        kept = [p for p in kept if not p.name.endswith(("-shm", "-wal", ".lock"))]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}

    @staticmethod
    def subjects(table: TableVersion) -> tuple[Subject, ...]:
        return tuple(Subject(f.path, f.sha256) for f in table.files)

    def charter(self, before: str, after: str) -> None:
        path = self.root / "charter.yaml"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))


class _NoKeys(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def make(root: Path, profile: str = "demo", *, more: str = "", readers: tuple[str, ...] = ()) -> Clinic:
    """A project; outside the demo profile the named parties' keys are on this machine and in its charter."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text(
        '[tool.ecluse]\nname = "clinic"\n[tool.ecluse.profiles.demo]\n[tool.ecluse.profiles.prod]\n'
    )
    keys, below = _NoKeys(), _NoKeys()
    folder = root / f".ecluse/{profile}/keys"
    for party in readers:
        public = new_key(folder, party).public
        keys[party] = f', keys: [{{public: "{public}", since: 2020-01-01}}]'
        below[party] = f'\n    keys: [{{public: "{public}", since: 2020-01-01}}]'
    (root / "charter.yaml").write_text(CHARTER.format(keys=keys, keys_below=below, more=more))
    project = Project.find(root, profile)
    database = Database(project.database_url)
    return Clinic(project, database, Warehouse(project.warehouse, database))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("ECLUSE_READER", "ECLUSE_PROJECT", "ECLUSE_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _kept(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("kept") / "clinic")
    made.manifest = made.release(made.publish())
    yield made
    made.database.close()


@pytest.fixture
def kept(_kept, monkeypatch):
    """A released project that many tests share: they read it, and leave it as it is."""
    monkeypatch.chdir(_kept.root)
    return _kept


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    made = make(tmp_path / "clinic")
    monkeypatch.chdir(made.root)
    yield made
    made.database.close()


@pytest.fixture
def released(clinic):
    clinic.manifest = clinic.release(clinic.publish())
    return clinic


@pytest.fixture
def lock(kept, tmp_path):
    from ecluse.door import load

    path = tmp_path / "data.lock"
    load(PRODUCT, purpose="care", lock=path)
    return path


def rewrite(path: Path, change, *, seal: bool = True) -> None:
    """Change what a lock says; with ``seal``, by somebody who knows how to write its digest too."""
    content = json.loads(path.read_text())
    change(content)
    if seal:
        content.pop("sha256", None)
        content["sha256"] = digest_of_json(content)
    path.write_text(json.dumps(content))
