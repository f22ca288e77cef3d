"""The log: appended with everything else, in order, without a gap; read through the keys that count."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from ecluse.errors import IntegrityError, LedgerError, StorageError
from ecluse.ledger import Log, canonical, sign, trust_of
from ecluse.ledger.envelope import STATEMENT_TYPE, seal
from ecluse.ledger.statement import statement
from ecluse.store import Database
from ecluse.store.schema import facts, meta

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def append(log, *envelopes):
    with log.database.transaction() as connection:
        return log.append(connection, envelopes)


def changed(charter, party, **changes):
    """The charter with one party's only key valid otherwise."""
    parties = [replace(p, keys=(replace(p.keys[0], **changes),)) if p.id == party else p for p in charter.parties]
    return replace(charter, parties=tuple(parties))


def test_facts_come_back_as_they_were_signed_and_in_order(log, fact, service, person):
    signed = [
        fact("run", n=1),
        fact("release", "set.a@1.0.0", manifest={"x": [1.5, None, "é"]}),
        fact("decision", "set.a@1.0.0", verdict="approved"),
    ]
    assert append(log, sign(signed[0], service), sign(signed[1], service)) == (0, 1)
    assert append(log, sign(signed[2], person)) == (2,)
    found = list(log.facts())
    assert [f.fact for f in found] == signed
    assert [(f.position, f.key_ids) for f in found] == [
        (0, {service.key_id}),
        (1, {service.key_id}),
        (2, {person.key_id}),
    ]
    assert log.size == 3
    assert log.verify() == log.verify()
    assert log.verify().root == log.root()


def test_an_empty_log_is_whole(log):
    state = log.verify()
    assert (state.size, state.root) == (0, sha256(b"").hexdigest())
    assert (log.size, log.root(), list(log.facts())) == (0, state.root, [])


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"kind": "run"}, [0, 1, 2, 3, 4]),
        ({"kind": "release"}, []),
        ({"subject_name": "set.a"}, [0, 2, 4]),
        ({"sha256": sha256(b"set.b").hexdigest()}, [1, 3]),
        ({"subject_name": "set.a", "sha256": sha256(b"set.b").hexdigest()}, []),
        ({"kind": "run", "subject_name": "set.b", "sha256": sha256(b"set.b").hexdigest()}, [1, 3]),
    ],
)
def test_facts_are_found_by_kind_and_subject(filled, wanted, positions):
    assert [f.position for f in filled.facts(**wanted)] == positions


def test_facts_commit_with_everything_else_or_not_at_all(filled, fact, service):
    def fail_at_the_end():
        with filled.database.transaction() as connection:
            connection.execute(meta.insert().values(key="beside", value="x"))
            assert filled.append(connection, [sign(fact(), service)]) == (5,)
            assert [f.position for f in filled.facts(connection=connection)] == [0, 1, 2, 3, 4, 5]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_at_the_end()
    assert filled.size == 5
    with filled.database.reading() as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.key == "beside")).scalar() is None
    assert append(filled, sign(fact(), service)) == (5,)


def test_an_append_outside_a_transaction_is_refused(filled, fact, service):
    with pytest.raises(LedgerError, match="outside a transaction"), filled.database.reading() as connection:
        filled.append(connection, [sign(fact(), service)])
    assert filled.size == 5


def test_the_same_subject_twice_in_a_fact_is_indexed_once(log, fact, service):
    append(log, sign(fact("run", "set.a", "set.a"), service))
    assert [f.position for f in log.facts(subject_name="set.a")] == [0]
    assert log.verify().size == 1


def _other_payload(envelope, fact, service):
    return {**envelope, "payload": sign(fact(n=2), service)["payload"]}


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda fact, service, person: sign(fact("decision"), service), "may_not_attest"),
        (lambda fact, service, person: sign(fact("run"), person), "may_not_attest"),
        (lambda fact, service, person: sign(fact("run", at=AT - timedelta(days=365)), service), "not_valid"),
        (lambda fact, service, person: sign(fact("run"), replace(service, _private=_stranger())), "unknown_key"),
        (lambda fact, service, person: _other_payload(sign(fact(n=1), service), fact, service), "bad_signature"),
        (lambda fact, service, person: {**sign(fact(), service), "signatures": []}, "malformed"),
        (lambda fact, service, person: {"payload": "AA=="}, "malformed"),
        (lambda fact, service, person: seal("text/plain", statement(fact()), service), "malformed"),
        (lambda fact, service, person: seal(STATEMENT_TYPE, [], service), "malformed"),
        (lambda fact, service, person: seal(STATEMENT_TYPE, {**statement(fact()), "more": 1}, service), "malformed"),
        (lambda fact, service, person: seal(STATEMENT_TYPE, {**statement(fact()), "predicateType": "https://ecluse.dev/fact/run/v9"}, service), "malformed"),
        (lambda fact, service, person: seal(STATEMENT_TYPE, statement(fact(at=AT.replace(tzinfo=None))), service), "malformed"),
    ],
)  # fmt: skip
def test_what_does_not_count_never_enters_the_log(filled, fact, service, person, make, key):
    before = filled.verify()
    with pytest.raises(LedgerError) as caught:
        append(filled, sign(fact(), service), make(fact, service, person))
    assert caught.value.key == f"ledger.{key}"
    assert filled.verify() == before


def _stranger():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def test_a_fact_signed_by_two_needs_both_to_count(filled, fact, service, person):
    decision = fact("run")
    both = sign(decision, service)
    both["signatures"] += sign(decision, person)["signatures"]
    with pytest.raises(LedgerError) as caught:
        append(filled, both)
    assert caught.value.key == "ledger.may_not_attest"


def test_facts_by_keys_that_no_longer_count_are_left_out_and_counted(filled, fact, person, charter):
    append(filled, sign(fact("decision"), person))
    without = Log(filled.database, trust_of(replace(charter, parties=charter.parties[1:])))
    assert [f.position for f in without.facts()] == [5]
    assert {p: doubt.key for p, doubt in without.skipped.items()} == dict.fromkeys(range(5), "ledger.unknown_key")
    with pytest.raises(IntegrityError, match=r"Fact 0 .*belongs to no party.*can't be computed"):
        without.verify()


def test_a_revoked_key_appends_nothing_whatever_time_the_fact_claims(filled, fact, service, charter):
    revoked = Log(filled.database, trust_of(changed(charter, service.party, revoked=AT + timedelta(days=1))))
    assert revoked.verify().size == 5
    with pytest.raises(LedgerError, match="revoked"):
        append(revoked, sign(fact(at=AT), service))
    assert revoked.size == 5


def test_a_backdated_fact_by_a_stolen_key_does_not_count(filled, fact, service, person, charter):
    """A thief who writes the database directly, after the key was revoked."""
    append(filled, sign(fact("decision", at=AT + timedelta(days=2)), person), sign(fact(at=AT, n=9), service))
    revoked = Log(filled.database, trust_of(changed(charter, service.party, revoked=AT + timedelta(days=1))))
    assert [f.position for f in revoked.facts()] == [0, 1, 2, 3, 4, 5]
    assert [f.position for f in revoked.facts(subject_name="set.a")] == [0, 2, 4]
    assert revoked.skipped[6].key == "ledger.backdated"
    with pytest.raises(IntegrityError, match=r"Fact 6 .* revoked"):
        revoked.verify()


def test_proofs_of_the_log_hold_and_altered_ones_do_not(filled):
    for position in range(5):
        proof = filled.inclusion(position)
        assert proof.holds()
        assert proof.root == filled.root()
        assert not replace(proof, position=(position + 1) % 5).holds()
        grown = filled.consistency(position + 1)
        assert grown.holds()
        assert grown.old_root == filled.root(position + 1)
        assert not replace(grown, old_root="00" * 32).holds()


@pytest.mark.parametrize(
    "ask",
    [
        lambda log: log.inclusion(5),
        lambda log: log.inclusion(-1),
        lambda log: log.consistency(0),
        lambda log: log.consistency(6),
    ],
)
def test_proofs_outside_the_log_are_refused(filled, ask):
    with pytest.raises(LedgerError, match="holds 5 facts"):
        ask(filled)


def test_a_verification_sees_one_moment_of_a_growing_log(filled, fact, service):
    reading = filled.facts()
    first = next(reading)
    append(filled, sign(fact(n=5), service))
    assert [first.position, *(f.position for f in reading)] == [0, 1, 2, 3, 4]


_APPEND = """
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ecluse.ledger import Log, Signer, Trust, TrustedKey, sign
from ecluse.model.charter import Key
from ecluse.model.facts import Fact, Subject
from ecluse.store import Database
url, who = sys.argv[1:]
signer = Signer("svc-pipeline", Ed25519PrivateKey.from_private_bytes(sha256(b"test svc-pipeline").digest()))
at = datetime(2026, 3, 1, tzinfo=UTC)
database = Database(url)
log = Log(database, Trust({signer.key_id: TrustedKey(signer.party, Key(signer.public, at), frozenset({"run"}))}))
for n in range(30):
    facts = [Fact("run", (Subject(f"{who}.{n}", "0" * 64),), {"who": who, "n": n, "m": m}, at, "p", "dev") for m in (0, 1)]
    with database.transaction() as connection:
        log.append(connection, [sign(fact, signer) for fact in facts])
database.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request, tmp_path, charter):
    """An empty log that several processes append to."""
    on_disk = f"sqlite:///{tmp_path / 'shared.db'}"
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else on_disk
    database = Database(url)
    yield url, Log(database, trust_of(charter))
    database.close()


def test_two_processes_that_append_at_once_lose_nothing(shared):
    url, log = shared
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", _APPEND, url, who], stderr=subprocess.PIPE, text=True)
        for who in ("left", "right")
    ]  # fmt: skip
    for process in started:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    assert log.verify().size == 120
    found = [(f.fact.predicate["who"], f.fact.predicate["n"], f.fact.predicate["m"]) for f in log.facts()]
    for who in ("left", "right"):
        assert [f[1:] for f in found if f[0] == who] == [(n, m) for n in range(30) for m in (0, 1)]
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first[:2] == second[:2], "the facts of one append stand together"


def test_a_database_that_is_damaged_is_a_clear_error(filled):
    filled.database.close()
    path = filled.database.engine.url.database
    filled.database.close()
    with Path(path).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    again = Log(Database(f"sqlite:///{path}"), filled.trust)
    with pytest.raises((StorageError, IntegrityError)):
        again.verify()
    again.database.close()


def test_the_stored_envelope_is_canonical(filled):
    with filled.database.reading() as connection:
        for text in connection.scalars(select(facts.c.envelope)):
            assert text.encode() == canonical(json.loads(text))


def test_a_hole_is_never_filled_by_an_append(filled, fact, service):
    with filled.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM ecluse_subjects WHERE position = 2")
        connection.execute(delete(facts).where(facts.c.position == 2))
    assert append(filled, sign(fact(), service)) == (5,)
    with pytest.raises(IntegrityError, match="Fact 2 is missing"):
        filled.verify()
