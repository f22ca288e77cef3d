"""Attacks on the door, each with real keys on a real log: what would open if one rule were missing."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.charterfile import load_charter
from ecluse.door import load, verify
from ecluse.errors import IntegrityError, LedgerError, Refused
from ecluse.ledger import Log, load_signer, new_key, sign, signer_for, trust_of
from ecluse.model.charter import Key, Party
from ecluse.model.facts import Fact, Subject
from ecluse.model.release import Manifest
from ecluse.project import Project
from tests.door.conftest import PRODUCT, ROWS


def keys(**asked):
    with pytest.raises(Refused) as caught:
        load(PRODUCT, purpose="care", **asked)
    return [reason.key for reason in caught.value.verdict.reasons]


def not_believed():
    """Nothing opens on a log that holds what nobody may have written."""
    with pytest.raises(IntegrityError):
        load(PRODUCT, purpose="care")


def soon():
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def of(manifest):
    return [Subject(f"{p.dataset}@{manifest.version}", manifest.digest) for p in manifest.products]


@pytest.fixture
def unapproved(clinic):
    clinic.manifest = clinic.release(clinic.publish(), approve=False)
    return clinic


def decide(clinic, who, manifest=None, *, environment=None, project=None, at=None, **more):
    """A decision as a party's own key signs it, appended by whoever has the database."""
    charter = load_charter(clinic.project)
    manifest = manifest or clinic.manifest
    said = {
        "verdict": "approved",
        "question": "data-valid",
        "phase": "proof",
        "gate_digest": charter.gate_digest("proof"),
        "expires": soon(),
        "reason": "x",
        "seen": 10_000,
        **more,
    }
    where = (project or clinic.project.name, environment or clinic.project.environment)
    append(clinic, Fact("decision", tuple(of(manifest)), said, at or datetime.now(UTC), *where), who)


def append(clinic, fact, who):
    charter = load_charter(clinic.project)
    log = Log(clinic.database, trust_of(charter, clinic.project))
    with clinic.database.transaction() as connection:
        log.append(connection, [sign(fact, signer_for(clinic.project, charter, who))])


def smuggle(clinic, fact, signer, party):
    """Append a fact past the rules: with a log that trusts this signer for everything."""
    charter = load_charter(clinic.project)
    key = Key(signer.public, datetime(2000, 1, 1, tzinfo=UTC))
    kinds = () if fact.kind == "decision" else ("run", "publication", "release", "evidence")
    parties = tuple(p for p in charter.parties if p.id != party)
    forged = replace(charter, parties=(*parties, Party(party, keys=(key,), attests=kinds)))
    log = Log(clinic.database, trust_of(forged))
    with clinic.database.transaction() as connection:
        log.append(connection, [sign(fact, signer)])


def test_without_an_approval_nothing_opens(unapproved):
    assert keys() == ["approval_missing"]


def test_who_made_the_release_does_not_approve_it(clinic):
    table = clinic.publish()
    manifest = Manifest("1.0.0", (table,), (), "ana", clinic.project.name, clinic.project.environment)
    clinic.state("release", "pipeline", {"manifest": manifest.to_json()}, *of(manifest))
    decide(clinic, "ana", manifest)
    assert keys() == ["approval_missing", "approval_by_producer"]


def test_a_service_signs_no_decision(unapproved):
    with pytest.raises(LedgerError, match="Decisions are signed by people only"):
        decide(unapproved, "pipeline")


def test_a_key_of_nobody_opens_nothing(unapproved, tmp_path):
    stranger = load_signer(new_key(tmp_path / "keys", "stranger"))
    said = {"verdict": "approved", "question": "data-valid", "phase": "proof", "expires": soon(), "reason": "x"}
    fact = Fact("decision", tuple(of(unapproved.manifest)), said, datetime.now(UTC), "clinic", "dev")
    log = Log(unapproved.database, trust_of(load_charter(unapproved.project), unapproved.project))
    with pytest.raises(LedgerError), unapproved.database.transaction() as connection:
        log.append(connection, [sign(fact, stranger)])
    smuggle(unapproved, fact, stranger, "stranger")
    not_believed()


def test_a_key_that_calls_itself_somebody_else_opens_nothing(unapproved, tmp_path):
    forger = load_signer(new_key(tmp_path / "keys", "ana"))
    charter = load_charter(unapproved.project)
    said = {"verdict": "approved", "question": "data-valid", "phase": "proof", "expires": soon(), "reason": "x"}
    said |= {"gate_digest": charter.gate_digest("proof"), "seen": 10_000}
    fact = Fact("decision", tuple(of(unapproved.manifest)), said, datetime.now(UTC), "clinic", "dev")
    smuggle(unapproved, fact, forger, "ana")
    not_believed()


def test_the_wrong_role_opens_nothing(unapproved):
    decide(unapproved, "guest")
    assert keys() == ["approval_missing", "approval_wrong_role"]


def test_a_role_that_ended_opens_nothing(released):
    released.charter("data-steward, since: 2020-01-01", "data-steward, since: 2020-01-01, until: 2021-01-01")
    assert keys() == ["approval_missing", "approval_wrong_role"]


def test_a_role_that_begins_later_opens_nothing(released):
    released.charter("data-steward, since: 2020-01-01", "data-steward, since: 2999-01-01")
    assert keys() == ["approval_missing", "approval_wrong_role"]


def test_an_approval_that_expired_opens_nothing(unapproved):
    decide(unapproved, "ana", expires=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    assert keys() == ["approval_missing", "approval_expired"]


def test_an_approval_of_the_future_opens_nothing(unapproved):
    decide(unapproved, "ana", at=datetime.now(UTC) + timedelta(days=1))
    assert keys() == ["approval_missing", "approval_future"]


def test_another_phases_approval_opens_nothing(unapproved):
    decide(unapproved, "ana", phase="business")
    assert keys() == ["approval_missing", "approval_other_phase"]


def test_an_approval_of_another_release_opens_nothing(released):
    other = released.release(released.publish(rows=f"{ROWS} LIMIT 1"), version="1.0.1", approve=False)
    decide(released, "ana", replace(other, version="9.9.9"))
    assert keys() == ["approval_missing", "approval_other_release"]


@pytest.mark.parametrize("elsewhere", [{"environment": "staging"}, {"project": "hospital"}])
def test_an_approval_replayed_from_another_project_or_environment_opens_nothing(unapproved, elsewhere):
    decide(unapproved, "ana", **elsewhere)
    assert keys() == ["approval_missing", "approval_elsewhere"]


def test_a_release_of_another_environment_is_none_here(clinic):
    table = clinic.publish()
    manifest = Manifest("1.0.0", (table,), (), "pipeline", clinic.project.name, "staging")
    clinic.state("release", "pipeline", {"manifest": manifest.to_json()}, *of(manifest))
    clinic.decide(manifest)
    assert "release_elsewhere" in keys()


def test_evidence_replayed_from_another_environment_clears_nothing(clinic):
    table = clinic.publish()
    clinic.check(table, "broken")
    held = {"about": "check-report", "dataset": PRODUCT, "outcome": "held", "checks": [], "suite_digest": "s1"}
    now = datetime.now(UTC)
    append(clinic, Fact("evidence", tuple(clinic.subjects(table)), held, now, "clinic", "staging"), "pipeline")
    clinic.release(table)
    assert keys() == ["unmet_checks_broken", "check_broken"]


def test_a_manifest_that_was_swapped_is_no_release(released):
    other = released.publish(rows=f"{ROWS} LIMIT 1")
    swapped = replace(released.manifest, version="2.0.0", products=(other,))
    released.state("release", "pipeline", {"manifest": swapped.to_json()}, *of(released.manifest))
    with pytest.raises(Refused) as caught:
        load(PRODUCT, purpose="care", version="2.0.0")
    assert [r.key for r in caught.value.verdict.reasons] == ["release_missing"]


def test_evidence_of_other_data_clears_nothing(clinic):
    checked = clinic.publish()
    unchecked = replace(checked, files=tuple(replace(f, sha256="0" * 64) for f in checked.files))
    clinic.release(unchecked)
    assert keys() == [
        "not_computed_checks_broken",
        "files_unchecked",
        "not_computed_personal_unclassified",
        "personal_unsought",
    ]


def test_evidence_by_a_key_that_may_not_attest_it_clears_nothing(clinic):
    table = clinic.publish()
    clinic.check(table, "broken")
    held = {"about": "check-report", "dataset": PRODUCT, "outcome": "held", "checks": [], "suite_digest": "s1"}
    fact = Fact("evidence", tuple(clinic.subjects(table)), held, datetime.now(UTC), "clinic", "dev")
    with pytest.raises(LedgerError):
        append(clinic, fact, "ana")
    smuggle(clinic, fact, signer_for(clinic.project, load_charter(clinic.project), "ana"), "ana")
    clinic.release(table)
    not_believed()


def test_one_person_answers_one_question(unapproved):
    both = "approvals: [{question: data-valid, role: data-steward}, {question: results-valid, role: data-steward}]"
    unapproved.charter("approvals: [{question: data-valid, role: data-steward}]", both)
    decide(unapproved, "ana")
    decide(unapproved, "ana", question="results-valid")
    assert keys() == ["approval_missing", "approval_same_person"]


def test_an_approval_before_the_evidence_existed_opens_nothing(unapproved):
    decide(unapproved, "ana", seen=1)
    assert keys() == ["approval_missing", "approval_too_early"]


def test_an_approval_that_claims_to_have_seen_what_came_later_opens_nothing(clinic):
    table = clinic.publish()
    unseen = replace(table, files=tuple(replace(f, sha256="1" * 64) for f in table.files))
    manifest = clinic.release(unseen)
    clinic.check(unseen)
    assert manifest.digest
    assert keys() == ["approval_missing", "approval_too_early"]


def test_a_withdrawal_is_not_undone_by_a_new_yes(released):
    decide(released, "guest", verdict="withdrawn", reason="wrong ward")
    decide(released, "ana")
    assert keys() == ["withdrawn"]


# -- the log ------------------------------------------------------------------------------------------------------


def copy_log(clinic, path):
    """The database as it is now, every signature of it true."""
    with sqlite3.connect(clinic.project.state / "ecluse.db") as source, sqlite3.connect(path) as target:
        source.backup(target)
    source.close()
    target.close()
    return path


def put_back(clinic, path):
    clinic.database.close()
    for beside in ("", "-wal", "-shm"):
        (clinic.project.state / f"ecluse.db{beside}").unlink(missing_ok=True)
    shutil.copy(path, clinic.project.state / "ecluse.db")


def test_an_old_copy_of_the_log_is_seen_by_who_read_a_newer_one(released, tmp_path):
    assert load(PRODUCT, purpose="care").verdict.opens
    before = copy_log(released, tmp_path / "before.db")
    decide(released, "guest", verdict="withdrawn", reason="wrong ward")
    assert keys() == ["withdrawn"]
    put_back(released, before)
    with pytest.raises(IntegrityError, match="was seen with"):
        load(PRODUCT, purpose="care")


def test_another_history_of_the_same_length_is_seen_by_who_read_the_first(released, tmp_path):
    before = copy_log(released, tmp_path / "before.db")
    decide(released, "guest", verdict="withdrawn", reason="wrong ward")
    assert keys() == ["withdrawn"]
    put_back(released, before)
    for _ in range(2):
        decide(released, "ana", reason="all is well")
    with pytest.raises(IntegrityError, match="says something else"):
        load(PRODUCT, purpose="care")


def test_an_old_copy_of_the_log_is_seen_by_a_lock_of_a_newer_one(released, tmp_path):
    before = copy_log(released, tmp_path / "before.db")
    released.check(released.manifest.products[0])
    load(PRODUCT, purpose="care", lock=tmp_path / "data.lock")
    put_back(released, before)
    with pytest.raises(IntegrityError):
        verify(tmp_path / "data.lock")


def test_a_log_that_grew_is_no_attack(released):
    assert load(PRODUCT, purpose="care")
    released.check(released.manifest.products[0])
    assert load(PRODUCT, purpose="care")


def test_a_damaged_memory_of_the_log_is_an_error_and_no_fresh_start(released):
    assert load(PRODUCT, purpose="care")
    (released.project.state / "heads.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"heads\.json"):
        load(PRODUCT, purpose="care")


def test_a_log_whose_head_is_too_old_opens_nothing(released, monkeypatch):
    released.charter("problem:", "log_within_days: 2\nproblem:")
    assert load(PRODUCT, purpose="care").verdict.opens
    later = datetime.now(UTC) + timedelta(days=3)
    monkeypatch.setattr(Project, "now", lambda _: later)
    assert keys() == ["log_too_old"]
