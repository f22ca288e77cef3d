from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from ecluse import texts
from ecluse.door import load, verify
from ecluse.errors import DefinitionError, IntegrityError, Refused, StorageError
from ecluse.ledger import tree
from ecluse.store.schema import facts
from tests.door.conftest import PRODUCT, make, rewrite


def test_a_lock_says_what_was_loaded(lock, kept):
    content = json.loads(lock.read_text())
    assert content["digest"] == kept.manifest.digest
    assert content["requests"][0]["purpose"] == "care"
    assert content["columns"] == {PRODUCT: {"id": "clear", "age": "clear", "email": "pseudonym"}}
    assert content["log"]["size"] == 4


def test_a_lock_holds_while_nothing_changed(lock, kept):
    before, reads = kept.snapshot(), len(kept.reads())
    found = verify(lock)
    assert found.manifest == kept.manifest
    assert found.verdict.opens
    assert (found.files, found.locked.size, found.log.size) == (1, 4, 4)
    assert kept.snapshot() == before
    assert len(kept.reads()) == reads


def test_a_lock_holds_while_the_log_grows(own, released):
    released.check(released.manifest.products[0])
    assert verify(own).log.size == 5


def test_a_lock_of_several_datasets_holds(clinic, tmp_path):
    clinic.release(clinic.publish(), clinic.publish("products.visits"))
    load([PRODUCT, "products.visits"], purpose="care", lock=tmp_path / "data.lock")
    assert verify(tmp_path / "data.lock").files == 2


@pytest.fixture
def own(released, tmp_path):
    """A lock of a project that the test may damage."""
    load(PRODUCT, purpose="care", lock=tmp_path / "own.lock")
    return tmp_path / "own.lock"


def test_refuses_once_the_release_is_no_longer_open(own, released):
    released.check(released.manifest.products[0], "broken")
    with pytest.raises(Refused, match="no longer open") as caught:
        verify(own)
    assert [r.key for r in caught.value.verdict.reasons] == ["unmet_checks_broken", "check_broken"]


def test_an_altered_file_is_found(own, released):
    path = released.warehouse.path(released.manifest.products[0].files[0])
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(IntegrityError, match="altered"):
        verify(own)


def test_an_altered_log_is_found(own, released):
    with released.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecluse_facts SET envelope = replace(envelope, 'a', 'b') WHERE position = 1")
    with pytest.raises(IntegrityError):
        verify(own)


def test_a_log_that_was_cut_off_is_found(own, released):
    with released.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM ecluse_subjects WHERE position = 3")
        connection.exec_driver_sql("DELETE FROM ecluse_facts WHERE position = 3")
        connection.exec_driver_sql("DELETE FROM ecluse_subtrees WHERE size > 3")
    with pytest.raises(IntegrityError, match="it had 4"):
        verify(own)


def test_a_copied_approval_does_not_outvote_a_later_no(own, released):
    released.decide(released.manifest, verdict="rejected")
    with pytest.raises(Refused):
        verify(own)
    copy = """INSERT INTO {table} SELECT {columns} FROM {table} WHERE position = 3"""
    with released.database.transaction() as connection:
        for table, columns in (("ecluse_facts", "5, leaf, kind, envelope"), ("ecluse_subjects", "5, name, sha256")):
            connection.exec_driver_sql(copy.format(table=table, columns=columns))
        tree.grow(connection, 5, [bytes.fromhex(connection.scalar(select(facts.c.leaf).where(facts.c.position == 5)))])
    with pytest.raises(IntegrityError, match="states again"):
        verify(own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["manifest"].update(version="1.0.1"), "was altered"),
        (lambda c: c.update(digest="0" * 64), "was altered"),
        (lambda c: c.update(requests=[]), "was altered"),
        (lambda c: c["log"].update(root="0" * 64), "not those that it had"),
        (lambda c: c["log"].update(size=99), "it had 99"),
        (lambda c: c["log"].update(size=-1), "not those that it had"),
        (lambda c: c.update(ecluse=1), "lock of version 1"),
        (lambda c: c.pop("manifest"), "can't be read as a lock"),
        (lambda c: c["manifest"].update(products=3), "can't be read as a lock"),
        (lambda c: c["requests"][0].update(environment="prod"), "another project or environment"),
    ],
)
def test_an_altered_lock_is_found(lock, change, said):
    rewrite(lock, change)
    with pytest.raises(IntegrityError, match=said):
        verify(lock)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["requests"][0].update(purpose="advertising"),
        lambda c: c["requests"][0].update(reader="ana"),
        lambda c: c["requests"][0].update(phase="business"),
        lambda c: c["columns"][PRODUCT].update(email="null"),
        lambda c: c.update(log={"size": 0, "root": "0" * 64}),
        lambda c: c.update(at="2020-01-01T00:00:00+00:00"),
        lambda c: c.update(more=1),
    ],
    ids=["purpose", "reader", "phase", "columns", "log", "time", "more"],
)
def test_whatever_was_altered_in_a_lock_its_own_digest_tells(lock, change):
    rewrite(lock, change, seal=False)
    with pytest.raises(IntegrityError, match="was altered"):
        verify(lock)


def test_a_lock_without_its_digest_is_none(lock):
    content = json.loads(lock.read_text())
    del content["sha256"]
    lock.write_text(json.dumps(content))
    with pytest.raises(IntegrityError, match="can't be read as a lock"):
        verify(lock)


def test_a_lock_for_another_purpose_is_judged_for_that_one(lock):
    rewrite(lock, lambda c: c["requests"][0].update(purpose="advertising"))
    with pytest.raises(Refused):
        verify(lock)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_lock_is_named(lock, content):
    lock.write_bytes(content)
    with pytest.raises(IntegrityError, match="can't be read as a lock"):
        verify(lock)


def test_a_missing_lock_is_named(kept, tmp_path):
    with pytest.raises(DefinitionError, match="There is no lock"):
        verify(tmp_path / "nothing.lock")


def test_a_lock_of_another_project_is_refused(lock, tmp_path):
    other = make(tmp_path / "other")
    with pytest.raises(IntegrityError, match="it had 4"):
        verify(lock, project=other.root)
    other.database.close()


def test_a_lock_that_cannot_be_written_is_an_error(kept, tmp_path):
    with pytest.raises(StorageError, match="can't be written"):
        load(PRODUCT, purpose="care", lock=tmp_path / "missing" / "data.lock")


@pytest.mark.parametrize("layer", ["gate", "door", "access", "charter"])
def test_both_languages_say_the_same(layer):
    def shape(entry):
        if isinstance(entry, dict):
            return {name: shape(value) for name, value in entry.items()}
        return sorted({part.split("}")[0] for part in entry.split("{")[1:]})

    assert shape(texts.catalogue("en", layer)) == shape(texts.catalogue("fr", layer))
