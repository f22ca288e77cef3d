"""One database, one transaction for everything that is committed together."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, delete, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from ecluse.errors import StorageError
from ecluse.store import Database
from ecluse.store.schema import VERSION, meta, metadata


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'a' / 'ecluse.db'}")
    yield made
    made.close()


def put(database, *pairs, then=None):
    """Insert in one transaction, which ``then`` may break."""
    with database.transaction() as connection:
        for key, value in pairs:
            connection.execute(insert(meta).values(key=key, value=value))
        if then is not None:
            raise then


def keys(database):
    with database.reading() as connection:
        return set(connection.execute(select(meta.c.key)).scalars())


def test_every_table_is_made_on_first_use(database):
    assert set(metadata.tables) <= set(inspect(database.engine).get_table_names())
    assert keys(database) == {"schema_version"}


def test_a_transaction_keeps_all_or_nothing(database):
    put(database, ("a", "1"))
    with pytest.raises(RuntimeError):
        put(database, ("b", "1"), then=RuntimeError())
    assert keys(database) == {"schema_version", "a"}


def test_what_is_not_committed_is_not_seen_by_others(database):
    with database.transaction() as connection:
        connection.execute(insert(meta).values(key="a", value="1"))
        assert "a" not in keys(database)
    assert "a" in keys(database)


def test_a_refused_statement_is_a_storage_error_and_undoes_the_rest(database):
    with pytest.raises(StorageError) as caught:
        put(database, ("a", "1"), ("a", "2"))
    assert caught.value.key == "store.write"
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert "a" not in keys(database)
    put(database, ("a", "3"))
    assert "a" in keys(database)


def test_the_settings_protect_against_power_loss(database):
    with database.reading() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_a_database_of_another_version_is_refused(database):
    with database.transaction() as connection:
        connection.execute(update(meta).values(value="0"))
    with pytest.raises(StorageError) as caught:
        _ = Database(database.url).engine
    assert caught.value.key == "store.version"
    assert f"version {VERSION}" in str(caught.value)


def test_further_tables_are_made_once(database):
    more = MetaData()
    table = Table("more", more, Column("id", Integer, primary_key=True))
    database.ensure(more)
    with database.transaction() as connection:
        connection.execute(insert(table).values(id=1))
    database.ensure(more)
    with database.transaction() as connection:
        assert connection.execute(delete(table)).rowcount == 1


@pytest.mark.parametrize("place", ["file/ecluse.db", "folder"])
def test_a_place_that_can_not_be_a_database_is_said_clearly(tmp_path, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError) as caught:
        _ = Database(f"sqlite:///{tmp_path / place}").engine
    assert caught.value.key == "store.unreachable"


def test_a_file_that_is_no_database_is_said_clearly(tmp_path):
    (tmp_path / "e.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError) as caught:
        _ = Database(f"sqlite:///{tmp_path / 'e.db'}").engine
    assert caught.value.key == "store.unreachable"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_is_refused_is_not_held_open(database, read_only):
    with database.transaction() as connection:
        connection.execute(update(meta).values(value="of another time"))
    database.close()
    refused = Database(database.url, read_only=read_only)
    with pytest.raises(StorageError), refused.reading():
        pass
    # NOTE: what this process has open: Linux and macOS list it there.
    held = {opened.stat().st_ino for opened in Path("/dev/fd").iterdir() if opened.exists()}
    assert database.file.stat().st_ino not in held


def test_a_password_is_never_shown():
    assert Database("postgresql+psycopg2://u:secret@db/x").shown == "postgresql+psycopg2://u:***@db/x"


def count(url, barrier, times):
    database = Database(url)
    barrier.wait()
    for _ in range(times):
        with database.transaction() as connection:
            found = connection.execute(select(meta.c.value).where(meta.c.key == "n")).scalar()
            if found is None:
                connection.execute(insert(meta).values(key="n", value="1"))
            else:
                connection.execute(update(meta).where(meta.c.key == "n").values(value=str(int(found) + 1)))


def test_processes_that_start_together_take_turns(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, url = context.Barrier(2), f"sqlite:///{tmp_path / 'new' / 'e.db'}"
    workers = [context.Process(target=count, args=(url, barrier, 50)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    database = Database(url)
    with database.reading() as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.key == "n")).scalar() == "100"
    database.close()
