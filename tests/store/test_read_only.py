from __future__ import annotations

import os
import uuid

import pytest
from sqlalchemy import insert, make_url, select

from ecluse.errors import StorageError
from ecluse.store import Database
from ecluse.store.schema import meta


@pytest.fixture
def written(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'a folder' / '100% e.db'}")
    with database.transaction() as connection:
        connection.execute(insert(meta).values(key="seen", value="yes"))
    database.close()
    return database.url


def read(database):
    with database.reading() as connection:
        return connection.execute(select(meta.c.value).where(meta.c.key == "seen")).scalar()


def test_reads_what_was_written(written):
    database = Database(written, read_only=True)
    assert read(database) == "yes"
    database.close()


def test_reads_where_nothing_can_be_written(written, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    database = Database(written, read_only=True)
    assert read(database) == "yes"
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    database.close()


def test_says_what_this_process_may_do_with_a_file(written, monkeypatch):
    assert Database(written).rights() == "rw"
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.R_OK)
    assert Database(written).rights() == "r-"


def test_says_what_a_user_of_postgresql_may_do(postgresql_url):
    owner = Database(postgresql_url)
    name = f"reader_{uuid.uuid4().hex}"
    with owner.transaction() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    reader = Database(str(make_url(postgresql_url).set(username=name)))
    try:
        assert (owner.rights(), reader.rights()) == ("rw", "--")
        with owner.transaction() as connection:
            connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        assert reader.rights() == "r-"
        with owner.transaction() as connection:
            connection.exec_driver_sql(f"GRANT UPDATE ON {meta.name} TO {name}")
        assert reader.rights() == "rw"
    finally:
        reader.close()
        with owner.transaction() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")
        owner.close()


def test_sees_what_an_open_writer_has_written(written):
    writer, reader = Database(written), Database(written, read_only=True)
    with writer.transaction() as connection:
        connection.execute(meta.update().where(meta.c.key == "seen").values(value="again"))
        assert read(reader) == "yes"
    assert read(reader) == "again"
    for database in (writer, reader):
        database.close()


def test_writes_nothing(written):
    database = Database(written, read_only=True)
    with pytest.raises(StorageError), database.reading() as connection:
        connection.execute(insert(meta).values(key="more", value="no"))
    with pytest.raises(StorageError), database.transaction() as connection:
        connection.execute(insert(meta).values(key="more", value="no"))
    database.close()


def test_creates_nothing(tmp_path):
    with pytest.raises(StorageError, match="can't be opened"):
        read(Database(f"sqlite:///{tmp_path / 'missing.db'}", read_only=True))
    assert list(tmp_path.iterdir()) == []
