"""The project's database and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from ecluse.errors import StorageError
from ecluse.store.schema import VERSION, meta, metadata

_BUSY_SECONDS = 60


class Database:
    """A SQLite file (WAL, writers take turns) or a PostgreSQL database, named by an SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, connected on first use; tables are created where they are missing."""
        engine = _sqlite(self.url) if self.is_sqlite else create_engine(self.url, pool_pre_ping=True)
        try:
            with engine.begin() as connection:
                metadata.create_all(connection)
                found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar()
                if found is None:
                    connection.execute(insert(meta).values(key="schema_version", value=VERSION))
        except SQLAlchemyError as error:
            raise StorageError("store.unreachable", url=self.shown, error=_first_line(error)) from error
        if found not in (None, VERSION):
            raise StorageError("store.version", url=self.shown, found=found, wanted=VERSION)
        return engine

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return make_url(self.url).get_backend_name() == "sqlite"

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction that writes: all of it is committed, or nothing.

        On SQLite it begins with ``BEGIN IMMEDIATE``: writers wait for each other instead of failing at the end.
        A full or read-only disk raises ``StorageError``.
        """
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    try:
                        yield connection
                    except BaseException:
                        connection.exec_driver_sql("ROLLBACK")
                        raise
                    connection.exec_driver_sql("COMMIT")
                else:
                    with connection.begin():
                        yield connection
        except SQLAlchemyError as error:
            raise StorageError("store.write", url=self.shown, error=_first_line(error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading."""
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError("store.unreachable", url=url, error=error) from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        # NOTE: the driver's own transactions begin too late (at the first write), so ours are spelled out.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
