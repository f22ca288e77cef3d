"""Whoever alters the database is found out, and the position is named."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from ecluse.errors import IntegrityError, LedgerError, StorageError
from ecluse.ledger import Log, canonical, open_checkpoint, pages, sign, tree, trust_of
from ecluse.ledger.merkle import leaf_hash
from ecluse.model.charter import Key, Party
from ecluse.store.schema import checkpoints, facts, subjects, subtrees
from tests.ledger.conftest import AT, SINCE
from tests.ledger.forging import stand_behind


def replaced(connection, position, envelope, *, leaf=True):
    text = envelope if isinstance(envelope, str) else canonical(envelope).decode()
    values = {"envelope": text} | ({"leaf": leaf_hash(text.encode()).hex()} if leaf else {})
    connection.execute(update(facts).where(facts.c.position == position).values(values))


def regrown(connection):
    """Make the stored tree fit the leaves again, as whoever knows the tables would."""
    connection.execute(delete(subtrees))
    leaves = connection.scalars(select(facts.c.leaf).order_by(facts.c.position)).all()
    tree.grow(connection, 0, [bytes.fromhex(leaf) for leaf in leaves])


def stored(connection, position):
    return json.loads(connection.scalar(select(facts.c.envelope).where(facts.c.position == position)))


def _altered_text(connection, fact, service, person):
    replaced(connection, 2, sign(fact("run", "set.a", n=99), service), leaf=False)


def _altered_with_leaf(connection, fact, service, person):
    envelope = stored(connection, 2)
    replaced(connection, 2, {**envelope, "payload": stored(connection, 3)["payload"]})


def _by_a_person(connection, fact, service, person):
    replaced(connection, 2, sign(fact("run", "set.a", n=2), person))


def _padded(connection, fact, service, person):
    replaced(connection, 2, json.dumps(stored(connection, 2), indent=1))


def _no_json(connection, fact, service, person):
    replaced(connection, 2, "{")


def _bytes(connection, fact, service, person):
    connection.exec_driver_sql("UPDATE ecluse_facts SET envelope = CAST(envelope AS BLOB) WHERE position = 2")


def _no_envelope(connection, fact, service, person):
    replaced(connection, 2, "[]")


def _removed(connection, fact, service, person):
    connection.execute(delete(subjects).where(subjects.c.position == 2))
    connection.execute(delete(facts).where(facts.c.position == 2))


def _swapped(connection, fact, service, person):
    two, three = stored(connection, 2), stored(connection, 3)
    replaced(connection, 2, three)
    replaced(connection, 3, two)


def _kind(connection, fact, service, person):
    connection.execute(update(facts).where(facts.c.position == 2).values(kind="evidence"))


def _leaf(connection, fact, service, person):
    connection.execute(update(facts).where(facts.c.position == 2).values(leaf="no hash"))


def _subject_removed(connection, fact, service, person):
    connection.execute(delete(subjects).where(subjects.c.position == 2))


def _subject_added(connection, fact, service, person):
    connection.execute(insert(subjects).values(position=2, name="set.b", sha256="0" * 64))


ALTERATIONS = [
    _altered_text,
    _altered_with_leaf,
    _by_a_person,
    _padded,
    _no_json,
    _bytes,
    _no_envelope,
    _removed,
    _swapped,
    _kind,
    _leaf,
    _subject_removed,
    _subject_added,
]


@pytest.mark.parametrize("size", [1, 2, 2000])
@pytest.mark.parametrize("alter", ALTERATIONS)
def test_an_altered_log_is_not_whole_and_says_where(filled, fact, service, person, alter, size, monkeypatch):
    monkeypatch.setattr(pages, "_SIZE", size)
    filled.verify()
    with filled.database.transaction() as connection:
        alter(connection, fact, service, person)
    with pytest.raises(IntegrityError) as caught:
        filled.verify()
    assert caught.value.fields["position"] == 2
    assert "2" in caught.value.part("received")


def test_a_database_that_is_damaged_is_not_read(filled, every_core):
    with filled.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecluse_facts SET envelope = CAST(x'ff' AS TEXT) WHERE position = 2")
    with pytest.raises(StorageError, match="UTF-8"):
        filled.verify(every_core=every_core)


def test_what_was_said_once_cannot_be_said_again_by_copying_it(filled):
    with filled.database.reading() as connection:
        said = stored(connection, 1)
    stand_behind(filled, said)
    with pytest.raises(IntegrityError, match="states again") as caught:
        filled.verify()
    assert caught.value.fields["position"] == 5


def test_a_statement_under_another_signature_is_the_same_statement(filled, fact, charter, fixed_signer):
    deputy = fixed_signer("svc-deputy")
    party = Party(deputy.party, keys=(Key(deputy.public, SINCE),), attests=("run",))
    wider = Log(filled.database, trust_of(replace(charter, parties=(*charter.parties, party))))
    stand_behind(wider, sign(fact("run", "set.b", n=1), deputy))
    with pytest.raises(IntegrityError, match="states again"):
        wider.verify()


def test_without_the_key_of_a_signer_the_answer_is_that_nobody_can_tell(filled, charter):
    """A key that was taken out of the charter, instead of being ended in it."""
    forgotten = Log(filled.database, trust_of(replace(charter, parties=charter.parties[1:])))
    with pytest.raises(IntegrityError, match=r"can't be computed") as caught:
        forgotten.verify()
    assert (caught.value.key, caught.value.fields["position"]) == ("ledger.unknown_signer", 0)
    assert "git log -p charter.yaml" in str(caught.value)
    assert list(forgotten.facts()) == []
    assert set(forgotten.skipped) == set(range(5))


@pytest.mark.parametrize("end", [{"until": AT + timedelta(days=1)}, {"revoked": AT + timedelta(days=1)}])
def test_a_key_that_ended_leaves_what_it_signed_before(filled, charter, service, end):
    ended = replace(charter.parties[0], keys=(Key(service.public, SINCE, **end),))
    assert Log(filled.database, trust_of(replace(charter, parties=(ended, charter.parties[1])))).verify().size == 5


@pytest.mark.parametrize("alter", [_altered_text, _altered_with_leaf, _no_json, _no_envelope, _kind, _leaf])
def test_an_altered_fact_is_not_read_either(filled, fact, service, person, alter):
    with filled.database.transaction() as connection:
        alter(connection, fact, service, person)
    with pytest.raises(IntegrityError):
        list(filled.facts())


def test_a_subject_index_that_points_nowhere_is_found(filled):
    with filled.database.transaction() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(insert(subjects).values(position=9, name="set.b", sha256="0" * 64))
        connection.execute(insert(facts).values(position=9, leaf="0" * 64, kind="run", envelope="{}"))
    with pytest.raises(IntegrityError, match="Fact 5 is missing"):
        filled.verify()


@pytest.mark.parametrize(("at", "position"), [(-1, 0), (5, 5), (9, 9)])
def test_an_index_of_facts_that_are_not_there_is_found(filled, at, position, every_core):
    with filled.database.transaction() as connection:
        about = connection.execute(select(subjects)).first()
    filled.database.close()
    with closing(sqlite3.connect(filled.database.file)) as outside:
        # NOTE: another tool than ours needn't enforce foreign keys.
        outside.execute("INSERT INTO ecluse_subjects VALUES (?, ?, ?)", (at, about.name, about.sha256))
        outside.commit()
    with pytest.raises(IntegrityError, match="subjects") as caught:
        filled.verify(every_core=every_core)
    assert caught.value.fields["position"] == position


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("UPDATE ecluse_subtrees SET hash = replace(hash, substr(hash, 1, 1), 'f') WHERE size = 4 AND level = 2", 3),
        ("DELETE FROM ecluse_subtrees WHERE size = 2", 1),
        ("INSERT INTO ecluse_subtrees VALUES (8, 1, 'ab')", 5),
        ("INSERT INTO ecluse_subtrees VALUES (3, 1, 'ab')", 3),
        ("INSERT INTO ecluse_subtrees VALUES (0, 1, 'ab')", 1),
    ],
    ids=["altered", "missing", "more than the log", "none of the log", "before the log"],
)
def test_a_tree_that_does_not_fit_the_facts_is_found(filled, statement, position, every_core):
    with filled.database.transaction() as connection:
        assert connection.exec_driver_sql(statement).rowcount
    with pytest.raises(IntegrityError, match="tree") as caught:
        filled.verify(every_core=every_core)
    assert caught.value.fields["position"] == position


def test_a_log_that_grew_extends_its_checkpoint(filled, fact, service, extends):
    kept = filled.checkpoint(service)
    assert open_checkpoint(kept, filled.trust).size == 5
    with filled.database.transaction() as connection:
        filled.append(connection, [sign(fact(n=5), service)])
    assert extends(filled, kept).size == 6


def test_a_truncated_log_is_found_by_a_checkpoint_kept_elsewhere(filled, service, extends):
    kept = filled.checkpoint(service)
    with filled.database.transaction() as connection:
        connection.execute(delete(checkpoints))
        connection.execute(delete(subjects).where(subjects.c.position >= 3))
        connection.execute(delete(facts).where(facts.c.position >= 3))
        regrown(connection)
    assert filled.verify().size == 3
    with pytest.raises(IntegrityError, match=r"ends before position 3.*counted 5 facts") as caught:
        extends(filled, kept)
    assert caught.value.fields["position"] == 3


def test_a_log_rewritten_by_the_holder_of_the_key_is_found(filled, fact, service, extends):
    early = filled.checkpoint(service)
    with filled.database.transaction() as connection:
        filled.append(connection, [sign(fact("run", "set.c", n=n), service) for n in range(5, 8)])
    kept = filled.checkpoint(service)
    with filled.database.transaction() as connection:
        connection.execute(delete(checkpoints))
        replaced(connection, 6, sign(fact("run", "set.c", n=99), service))
        regrown(connection)
    assert filled.verify().size == 8
    assert extends(filled, early).size == 8
    with pytest.raises(IntegrityError, match="rewritten between positions 0 and 7"):
        extends(filled, kept)
    with pytest.raises(IntegrityError, match="rewritten between positions 5 and 7") as caught:
        filled.verify(against=[open_checkpoint(kept, filled.trust), open_checkpoint(early, filled.trust)])
    assert caught.value.fields["position"] == 5


def test_a_stored_checkpoint_alone_finds_a_rewritten_log(filled, fact, service):
    filled.checkpoint(service)
    with filled.database.transaction() as connection:
        replaced(connection, 1, sign(fact("run", "set.b", n=99), service))
    with pytest.raises(IntegrityError, match="rewritten between positions 0 and 4"):
        filled.verify()


def test_a_log_that_is_not_whole_gets_no_checkpoint(filled, fact, service, person):
    with filled.database.transaction() as connection:
        _altered_text(connection, fact, service, person)
    with pytest.raises(IntegrityError):
        filled.checkpoint(service)
    with filled.database.reading() as connection:
        assert connection.execute(select(checkpoints)).all() == []


def test_an_empty_log_has_a_checkpoint_that_everything_extends(log, fact, service, extends):
    kept = log.checkpoint(service)
    with log.database.transaction() as connection:
        log.append(connection, [sign(fact(), service)])
    assert extends(log, kept).size == 1


def test_a_checkpoint_by_a_key_that_does_not_count_is_refused(filled, service, person, charter, extends):
    kept = filled.checkpoint(person)
    without = Log(filled.database, trust_of(replace(charter, parties=charter.parties[:1])))
    with pytest.raises(LedgerError, match="belongs to no party"):
        extends(without, kept)
    with pytest.raises(IntegrityError, match="checkpoint stored with the log"):
        without.verify()
    envelope = filled.checkpoint(service)
    with pytest.raises(LedgerError, match="is false"):
        extends(filled, {**envelope, "payload": kept["payload"]})


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"size": -1},
        {"size": True},
        {"size": "5"},
        {"root": "00"},
        {"root": None},
        {"at": "2026-01-01"},
        {"at": 5},
        {"_type": "x"},
        {"more": 1},
    ],
)
def test_what_is_no_checkpoint_is_refused(filled, service, damage, extends):
    from ecluse.ledger.checkpoint import CHECKPOINT_TYPE
    from ecluse.ledger.envelope import seal

    stated = {
        "_type": "https://ecluse.dev/checkpoint/v1",
        "size": 5,
        "root": filled.root(),
        "at": "2026-03-01T00:00:00+00:00",
    }
    if damage:
        with pytest.raises(LedgerError, match="isn't one that Écluse wrote"):
            extends(filled, seal(CHECKPOINT_TYPE, {**stated, **damage}, service))
        with pytest.raises(LedgerError, match="isn't one that Écluse wrote"):
            extends(filled, seal("text/plain", stated, service))
    else:
        assert extends(filled, seal(CHECKPOINT_TYPE, stated, service)).size == 5
