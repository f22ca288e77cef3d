"""A log of version 1, written once and never again: every later release reads it, verifies it, and writes the same."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert

import ecluse.store
from ecluse.ledger import Log, LogState, canonical, sign, trust_of, verify_export
from ecluse.ledger.checkpoint import open_checkpoint, seal_checkpoint
from ecluse.ledger.statement import read_statement, statement
from ecluse.model.charter import Key, Party
from ecluse.model.facts import KINDS
from ecluse.model.release import Manifest
from ecluse.store import Database, upgrade
from ecluse.store.schema import checkpoints, facts, meta, subjects

GOLDEN = Path(__file__).parent / "golden"
LOG = GOLDEN / "log-v1.jsonl"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "log.md"
ROOT = "f21a5df95ffc4d2be9458f9f87d05e5e2b5ce2760e417dd830841d38e5243206"


@pytest.fixture
def parties():
    found = json.loads((GOLDEN / "parties-v1.json").read_text("utf-8"))
    return tuple(Party(p["id"], keys=tuple(Key(**k) for k in p["keys"]), attests=tuple(p["attests"])) for p in found)


@pytest.fixture
def trust(parties, charter_of):
    return trust_of(charter_of(*parties))


@pytest.fixture
def lines():
    return [json.loads(line) for line in LOG.read_text("utf-8").splitlines()]


@pytest.fixture
def checkpoint():
    return json.loads((GOLDEN / "checkpoint-v1.json").read_text("utf-8"))


@pytest.fixture
def log(database, trust, lines):
    log = Log(database, trust)
    with database.transaction() as connection:
        log.append(connection, [line["envelope"] for line in lines])
    return log


def test_the_golden_log_verifies_against_its_checkpoint(trust, checkpoint):
    state = verify_export(LOG, trust, [open_checkpoint(checkpoint, trust)])
    assert (state.size, state.root) == (8, ROOT)


@pytest.fixture
def old_database(tmp_path, lines, checkpoint):
    """A database of version 1, as that version made it, with the golden log and its checkpoint."""
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    engine = create_engine(database.url)
    scripts = ScriptDirectory(str(Path(ecluse.store.__file__).with_name("migrations")))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        scripts.get_revision("1").module.upgrade()
        connection.execute(insert(meta).values(key="schema_version", value="1"))
        for line in lines:
            fact = read_statement(base64.b64decode(line["envelope"]["payload"])).fact
            stored = {**line, "envelope": canonical(line["envelope"]).decode(), "kind": fact.kind}
            connection.execute(insert(facts).values(**stored))
            for subject in fact.subjects:
                connection.execute(insert(subjects).values(position=line["position"], **vars(subject)))
        connection.execute(
            insert(checkpoints).values(size=checkpoint_size(checkpoint), envelope=canonical(checkpoint).decode())
        )
    engine.dispose()
    yield database
    database.close()


def checkpoint_size(checkpoint):
    return json.loads(base64.b64decode(checkpoint["payload"]))["size"]


def test_the_golden_log_stands_after_every_upgrade_of_its_database(old_database, trust, checkpoint, tmp_path, extends):
    assert upgrade(old_database).before == "1"
    log = Log(old_database, trust)
    assert extends(log, checkpoint) == LogState(8, ROOT)
    assert (log.root(), log.skipped) == (ROOT, {})
    assert {found.fact.kind for found in log.facts()} == set(KINDS)
    assert log.export(tmp_path / "log.jsonl") == 8
    assert (tmp_path / "log.jsonl").read_bytes() == LOG.read_bytes()


def test_the_golden_log_goes_on_after_an_upgrade(old_database, trust, checkpoint, fixed_signer, lines, extends):
    upgrade(old_database)
    log = Log(old_database, trust)
    last = read_statement(base64.b64decode(lines[-1]["envelope"]["payload"])).fact
    with old_database.transaction() as connection:
        log.append(connection, [sign(replace(last, at=last.at + timedelta(days=1)), fixed_signer("svc-pipeline"))])
    assert extends(log, checkpoint).size == 9


def test_the_golden_log_is_read_as_it_was_meant(log):
    found = list(log.facts())
    assert [f.fact.kind for f in found] == [
        "publication",
        "evidence",
        "run",
        "release",
        "evidence",
        "decision",
        "read",
        "run",
    ]
    assert {f.fact.kind for f in found} == set(KINDS)
    publication, report, _, release, kpi, decision, read, _ = (f.fact for f in found)
    assert publication.at.isoformat() == "2026-03-01T12:00:00.000250+00:00"
    assert (publication.project, publication.environment) == ("flights", "dev")
    assert publication.predicate["snapshot_id"] == "8046728130591462107"
    assert report.predicate["checks"][0]["kwargs"] == {"column": "dep_delay", "min_value": -60, "max_value": 1800.5}
    assert Manifest.from_json(release.predicate["manifest"]).digest == release.subjects[0].sha256
    assert kpi.predicate["value"] == 0.6875
    assert decision.predicate["reason"] == "Données vérifiées : rien ne manque. ✓"
    assert read.predicate["authenticated"] is True


def test_the_same_facts_are_written_to_the_same_bytes_today(log, lines, fixed_signer, tmp_path):
    owners = log.trust.parties()
    for found, line in zip(log.facts(), lines, strict=True):
        (key_id,) = found.key_ids
        assert sign(found.fact, fixed_signer(owners[key_id])) == line["envelope"]
    assert log.root() == ROOT
    assert log.export(tmp_path / "log.jsonl") == 8
    assert (tmp_path / "log.jsonl").read_bytes() == LOG.read_bytes()


def test_the_same_checkpoint_is_written_to_the_same_bytes_today(trust, checkpoint, fixed_signer):
    stated = open_checkpoint(checkpoint, trust)
    assert (stated.size, stated.root) == (8, ROOT)
    assert canonical(seal_checkpoint(stated, fixed_signer("svc-pipeline"))) == canonical(checkpoint)


def _names(value):
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


def test_the_reference_describes_every_field_of_the_golden_log(log):
    described = DOCUMENT.read_text("utf-8")
    free = {
        "column",
        "min_value",
        "max_value",
        "column_values_to_be_between__dep_delay",
    }  # of the expectation, the check
    for found in log.facts():
        missing = {name for name in _names(statement(found.fact)) - free if f"`{name}`" not in described}
        assert not missing, f"{found.fact.kind}: docs/reference/log.md doesn't describe {sorted(missing)}"
