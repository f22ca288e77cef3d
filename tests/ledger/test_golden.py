"""A log of version 1, written once and never again: every later release reads it, verifies it, and writes the same."""

import json
from pathlib import Path

import pytest

from ecluse.ledger import Log, canonical, sign, trust_of, verify_export
from ecluse.ledger.checkpoint import open_checkpoint, seal_checkpoint
from ecluse.model.charter import Key, Party
from ecluse.model.facts import KINDS
from ecluse.model.release import Manifest

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
    state = verify_export(LOG, trust, [checkpoint])
    assert (state.size, state.root) == (8, ROOT)


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
        missing = {name for name in _names(found.fact.statement()) - free if f"`{name}`" not in described}
        assert not missing, f"{found.fact.kind}: docs/reference/log.md doesn't describe {sorted(missing)}"
