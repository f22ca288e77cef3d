"""A log from a checkpoint on: signatures before it aren't verified again, and everything else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from ecluse.errors import IntegrityError
from ecluse.ledger import Checkpoint, Log, open_checkpoint, pages, sign, trust_of, verify_export
from ecluse.store.schema import facts, subjects
from tests.ledger.forging import signed_falsely, stand_behind


@pytest.fixture(autouse=True)
def _pages(monkeypatch):
    monkeypatch.setattr(pages, "_SIZE", 1)


@pytest.fixture
def forged(filled, fact, service):
    """A log whose last fact has a signature of something else, whole in every other way, and two facts after it."""
    position = stand_behind(filled, signed_falsely(sign(fact(n=100), service), sign(fact(n=101), service)))
    with filled.database.transaction() as connection:
        filled.append(connection, [sign(fact(n=102), service), sign(fact(n=103), service)])
    return filled, position


def vouched_for(log, size):
    """What somebody says who verified the log up to there."""
    return Checkpoint(size, log.root(size), datetime(2026, 3, 2, tzinfo=UTC))


def test_signatures_before_it_are_taken_as_verified(forged, every_core):
    log, position = forged
    with pytest.raises(IntegrityError) as caught:
        log.verify(every_core=every_core)
    assert caught.value.fields["position"] == position
    state = log.verify(vouched=vouched_for(log, position + 1), every_core=every_core)
    assert (state.size, state.root) == (log.size, log.root())


def test_signatures_behind_it_are_verified(forged, every_core):
    log, position = forged
    with pytest.raises(IntegrityError) as caught:
        log.verify(vouched=vouched_for(log, position), every_core=every_core)
    assert caught.value.fields["position"] == position


def test_a_log_with_another_past_does_not_extend_it(filled, every_core):
    other = replace(vouched_for(filled, 3), root="ab" * 32)
    with pytest.raises(IntegrityError) as caught:
        filled.verify(vouched=other, every_core=every_core)
    assert caught.value.key == "ledger.rewritten"


def test_a_log_that_ends_before_it_was_cut_off(filled, every_core):
    vouched = vouched_for(filled, 5)
    with filled.database.transaction() as connection:
        connection.execute(delete(subjects).where(subjects.c.position == 4))
        connection.execute(delete(facts).where(facts.c.position == 4))
    with pytest.raises(IntegrityError) as caught:
        filled.verify(vouched=vouched, every_core=every_core)
    assert caught.value.key == "ledger.truncated"


@pytest.mark.parametrize(
    "values", [{"leaf": "0" * 64}, {"kind": "release"}, {"envelope": "{}"}], ids=["leaf", "kind", "envelope"]
)
def test_form_hash_and_indexes_are_verified_before_it_too(filled, values, every_core):
    vouched = vouched_for(filled, 5)
    with filled.database.transaction() as connection:
        connection.execute(update(facts).where(facts.c.position == 2).values(**values))
    with pytest.raises(IntegrityError) as caught:
        filled.verify(vouched=vouched, every_core=every_core)
    assert caught.value.fields["position"] == 2


def test_a_key_that_no_longer_counts_is_refused_before_it_too(filled, charter, every_core):
    without = Log(filled.database, trust_of(replace(charter, parties=charter.parties[1:])))
    with pytest.raises(IntegrityError) as caught:
        without.verify(vouched=vouched_for(filled, 5), every_core=every_core)
    assert caught.value.key == "ledger.unknown_signer"


def test_an_export_is_verified_from_a_checkpoint_on(forged, service, tmp_path):
    log, position = forged
    log.export(tmp_path / "log.ndjson")
    with pytest.raises(IntegrityError):
        verify_export(tmp_path / "log.ndjson", log.trust)
    vouched = vouched_for(log, position + 1)
    assert verify_export(tmp_path / "log.ndjson", log.trust, vouched=vouched).size == log.size


def test_the_facts_come_with_the_state_in_one_reading(filled, service):
    state, found = filled.verified_facts()
    assert state == filled.verify()
    assert found == tuple(filled.facts())
    vouched = open_checkpoint(filled.checkpoint(service), filled.trust)
    assert filled.verified_facts(vouched=vouched) == (state, found)
