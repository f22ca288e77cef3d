"""What a reader remembers of the log: signed by themselves, and worth a second verification to nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ecluse.charterfile import load_charter
from ecluse.door import head, load
from ecluse.door.definitions import Definitions
from ecluse.door.head import remember_head
from ecluse.door.identity import Reader
from ecluse.errors import IntegrityError
from ecluse.ledger import Checkpoint, Log, LogState, examine, seal_checkpoint, sign, signer_for, trust_of
from ecluse.model.facts import Fact, Subject
from ecluse.store import Database
from ecluse.store.schema import facts
from tests.door.conftest import PRODUCT
from tests.ledger.forging import signed_falsely, stand_behind


def log_of(clinic):
    return Log(clinic.database, trust_of(load_charter(clinic.project), clinic.project))


def signer_of(clinic, party):
    return signer_for(clinic.project, load_charter(clinic.project), party)


def remembered(clinic):
    return json.loads((clinic.project.state / "heads.json").read_text())["clinic/dev"]


def remember(clinic, party, log):
    """Write into the reader's memory that a party verified the log as it stands."""
    state = {"size": log.size, "root": log.root()}
    signed = seal_checkpoint(Checkpoint(**state, at=datetime.now(UTC)), signer_of(clinic, party))
    path = clinic.project.state / "heads.json"
    path.write_text(json.dumps({"clinic/dev": {**state, "signed": signed}}))


@pytest.fixture
def verified(monkeypatch):
    """The signatures that are verified from now on."""
    found, really = [], examine.signature_holds

    def holds(public, signature, message, scheme):
        found.append(signature)
        return really(public, signature, message, scheme)

    monkeypatch.setattr(examine, "signature_holds", holds)
    return found


@pytest.fixture
def forged(released):
    """A log with a rejection in the steward's name that the steward never signed."""
    subject = Subject(f"{PRODUCT}@{released.manifest.version}", released.manifest.digest)

    def rejection(reason):
        said = {"verdict": "rejected", "question": "data-valid", "phase": "proof", "reason": reason, "seen": 0}
        fact = Fact("decision", (subject,), said, datetime.now(UTC), "clinic", "dev")
        return sign(fact, signer_of(released, "ana"))

    log = log_of(released)
    stand_behind(log, signed_falsely(rejection("no"), rejection("never")))
    return released, log


def test_signatures_that_a_reader_verified_are_not_verified_again(released, verified):
    size = log_of(released).size
    load(PRODUCT, purpose="care")
    assert len(verified) >= size
    verified.clear()
    load(PRODUCT, purpose="care")
    # The checkpoint itself, read before the log and after it, and the read that is recorded.
    assert len(verified) < size


def test_what_was_added_since_is_verified_and_remembered(released, verified):
    load(PRODUCT, purpose="care")
    before = remembered(released)["size"]
    released.check(released.manifest.products[0])
    verified.clear()
    load(PRODUCT, purpose="care")
    with released.database.reading() as connection:
        envelope = json.loads(connection.scalars(select(facts.c.envelope).order_by(facts.c.position)).all()[-1])
    assert b64decode(envelope["signatures"][0]["sig"]) in verified
    assert remembered(released)["size"] == log_of(released).size > before


@pytest.mark.parametrize("party", ["pipeline", "ana"])
def test_nobody_elses_word_replaces_a_readers_own_verification(forged, party):
    clinic, log = forged
    remember(clinic, party, log)
    with pytest.raises(IntegrityError, match="signature"):
        load(PRODUCT, purpose="care")


def test_a_memory_that_says_another_root_than_its_signature_is_worth_nothing(forged):
    clinic, log = forged
    earlier = Checkpoint(log.size - 1, log.root(log.size - 1), datetime.now(UTC))
    signed = seal_checkpoint(earlier, signer_of(clinic, "model"))
    said = {"size": log.size, "root": log.root(), "signed": signed}
    (clinic.project.state / "heads.json").write_text(json.dumps({"clinic/dev": said}))
    with pytest.raises(IntegrityError, match="signature"):
        load(PRODUCT, purpose="care")


DEEP = {
    "payload": b64encode(b"[" * 100_000).decode(),
    "payloadType": "application/vnd.ecluse.checkpoint+json",
    "signatures": [{"keyid": "ab", "sig": "AA=="}],
}


@pytest.mark.parametrize("signed", [5, {}, "payload", DEEP], ids=["number", "empty", "text", "deep"])
def test_a_signature_that_is_none_is_worth_nothing(forged, signed):
    clinic, log = forged
    said = {"size": log.size, "root": log.root(), "signed": signed}
    (clinic.project.state / "heads.json").write_text(json.dumps({"clinic/dev": said}))
    with pytest.raises(IntegrityError, match="signature"):
        load(PRODUCT, purpose="care")


def test_a_memory_without_a_signature_still_shows_that_a_log_was_put_back(released):
    log = log_of(released)
    said = {"size": log.size + 1, "root": "ab" * 32}
    (released.project.state / "heads.json").write_text(json.dumps({"clinic/dev": said}))
    with pytest.raises(IntegrityError) as caught:
        load(PRODUCT, purpose="care")
    assert caught.value.key == "door.log_put_back"


def test_of_two_readers_at_once_the_one_who_saw_more_is_remembered(released, monkeypatch):
    definitions, now = Definitions.of(released.project), datetime.now(UTC)
    reader = Reader("model", signer_of(released, "model"), authenticated=True)

    def signs_while_another_remembers(*said):
        monkeypatch.setattr(head, "seal_checkpoint", seal_checkpoint)
        remember_head(definitions, LogState(10, "ab" * 32), reader, now)
        return seal_checkpoint(*said)

    monkeypatch.setattr(head, "seal_checkpoint", signs_while_another_remembers)
    remember_head(definitions, LogState(5, "cd" * 32), reader, now)
    assert remembered(released)["size"] == 10


def test_who_signs_nothing_leaves_the_signature_of_who_does(released):
    definitions, log, now = Definitions.of(released.project), log_of(released), datetime.now(UTC)
    load(PRODUCT, purpose="care")
    signed = remembered(released)
    remember_head(definitions, LogState(log.size, log.root()), Reader(None, None, authenticated=False), now)
    assert remembered(released) == signed


@pytest.mark.parametrize(
    "damage",
    [
        {"size": "4"},
        {"size": 2.7},
        {"size": float("inf")},
        {"size": -1},
        {"root": "ab"},
        {"root": 5},
        {"at": "2026-01-01T00:00:00"},
        {"at": 5},
    ],
    ids=str,
)
def test_a_memory_that_is_none_is_said_to_be_damaged(released, damage):
    log = log_of(released)
    log.checkpoint(signer_of(released, "pipeline"))
    said = {"size": log.size, "root": log.root(), "at": "2026-01-01T00:00:00+00:00", **damage}
    (released.project.state / "heads.json").write_text(json.dumps({"clinic/dev": said}))
    with pytest.raises(IntegrityError) as caught:
        load(PRODUCT, purpose="care")
    assert caught.value.key == "door.head_damaged"


def test_a_log_that_was_put_back_leaves_no_connection_open(released, monkeypatch):
    closed, really = [], Database.close

    def close(database):
        really(database)
        closed.append(database.url)

    monkeypatch.setattr(Database, "close", close)
    said = {"size": log_of(released).size + 1, "root": "ab" * 32}
    (released.project.state / "heads.json").write_text(json.dumps({"clinic/dev": said}))
    with pytest.raises(IntegrityError):
        load(PRODUCT, purpose="care")
    assert released.database.url in closed


SCRIPT = """\
import ecluse
from ecluse.ledger import pages, verified
pages._SIZE = verified._FEW = 1
print(ecluse.load("{product}", purpose="care", project="{root}").arrow().num_rows)
"""


def test_a_plain_script_loads_however_long_the_log_is(released, tmp_path):
    """Processes that import a script again would run it again, where it isn't guarded as a main module."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(product=PRODUCT, root=released.root))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
