"""The project's database and its transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, insert, inspect, make_url, select, text
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from ecluse.errors import StorageError
from ecluse.store.schema import VERSION, meta, metadata

_BUSY_SECONDS = 60


class Database:
    """A SQLite file (WAL, writers take turns) or a PostgreSQL database, named by an SQLAlchemy URL.

    With ``read_only`` nothing is created or written, and a SQLite file may lie where nothing can be.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = url
        self.read_only = read_only

    @cached_property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, connected on first use; tables are created where they are missing."""
        engine = self._connected()
        try:
            self._prepare(engine)
        except StorageError:
            # NOTE: whoever asked never sees it, and could not close it.
            engine.dispose()
            raise
        return engine

    def _prepare(self, engine: Engine) -> None:
        try:
            # NOTE: looked at first, because a database of another version must not get a part of today's tables.
            found = _version(engine)
            if found in (None, VERSION) and not self.read_only:
                _create(engine, metadata, _write_version)
                found = _version(engine)
        except SQLAlchemyError as error:
            raise StorageError("store.unreachable", url=self.shown, error=_first_line(error)) from error
        if found != VERSION:
            raise StorageError("store.version", url=self.shown, found=found, wanted=VERSION)

    def _connected(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, pool_pre_ping=True)
        return _sqlite_read_only(self.url) if self.read_only else _sqlite(self.url)

    @contextmanager
    def unchecked(self) -> Iterator[Connection]:
        """A transaction on the database as it is, whatever its version; nothing is made where there is none."""
        if self.file is not None and not self.file.is_file():
            raise StorageError("store.no_database", url=self.shown)
        engine = self._connected()
        try:
            with _begun(engine) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError("store.unreachable", url=self.shown, error=_first_line(error)) from error
        finally:
            engine.dispose()

    def ensure(self, tables: MetaData) -> None:
        """Create the tables that are missing; processes that start together take turns.

        Nothing is written where all are there, so that a reader needs no right to write.
        """
        try:
            _create(self.engine, tables, None)
        except SQLAlchemyError as error:
            raise StorageError("store.unreachable", url=self.shown, error=_first_line(error)) from error

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return make_url(self.url).get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file, whether it is there or not; ``None`` for any other database."""
        path = make_url(self.url).database
        return Path(path) if self.is_sqlite and path and path != ":memory:" else None

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
            with _begun(self.engine) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError("store.write", url=self.shown, error=_first_line(error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading. A database that is gone raises ``StorageError``."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError("store.read", url=self.shown, error=_first_line(error)) from error

    def rights(self) -> str:
        """What this process may do with the tables that are there: ``rw``, ``r-``, ``-w`` or ``--``.

        Each table counts for reading, and any of them for writing. ``StorageError`` where the database is gone.
        """
        if self.file is not None:
            reads, writes = os.access(self.file, os.R_OK), os.access(self.file, os.W_OK)
        else:
            reads, writes = self._granted()
        return ("r" if reads else "-") + ("w" if writes else "-")

    def _granted(self) -> tuple[bool, bool]:
        # NOTE: as it is: who may not read can't be asked for the database's version first.
        engine = self._connected()
        try:
            with engine.connect() as connection:
                names = inspect(connection).get_table_names()
                reads = all(_may(connection, name, "SELECT") for name in names)
                return reads, any(_may(connection, name, "INSERT, UPDATE, DELETE") for name in names)
        except SQLAlchemyError as error:
            raise StorageError("store.unreachable", url=self.shown, error=_first_line(error)) from error
        finally:
            engine.dispose()

    def close(self) -> None:
        """Give the connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def _may(connection: Connection, table: str, privileges: str) -> bool:
    """Whether the connection's own user has one of some privileges on a table of PostgreSQL."""
    asked = text("SELECT has_table_privilege(quote_ident(:name), :privileges)")
    return bool(connection.scalar(asked, {"name": table, "privileges": privileges}))


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            # NOTE: after some errors (a full disk) SQLite has rolled back by itself; a second ROLLBACK would hide them.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _create(engine: Engine, tables: MetaData, then: Callable[[Connection], None] | None) -> None:
    if set(tables.tables) <= set(inspect(engine).get_table_names()):
        return
    with _begun(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ecluse'))"))
        tables.create_all(connection)
        if then is not None:
            then(connection)


def _version(engine: Engine) -> str | None:
    """The version of the tables; ``None`` where there are none yet."""
    if not inspect(engine).has_table(meta.name):
        return None
    with engine.connect() as connection:
        return connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar()


def _write_version(connection: Connection) -> None:
    if connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar() is None:
        connection.execute(insert(meta).values(key="schema_version", value=VERSION))


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError("store.unreachable", url=url, error=error) from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    if path and path != ":memory:":
        _stay_with(engine, Path(path))

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        # NOTE: the driver's own transactions begin too late (at the first write), so ours are spelled out.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _stay_with(engine: Engine, path: Path) -> None:
    """Let every connection be to the file that lies at the path now.

    SQLite would make a new file where ours was moved away, and go on writing into one that nobody finds any more.
    """
    known: list[int] = []

    @event.listens_for(engine, "do_connect")
    def _there(*_: object) -> None:
        if known and not path.exists():
            raise sqlite3.OperationalError("the file is gone")

    @event.listens_for(engine, "connect")
    def _connected(_connection: object, record: Any) -> None:
        record.info["file"] = path.stat().st_ino
        known[:] = [record.info["file"]]

    @event.listens_for(engine, "checkout")
    def _same(_connection: object, record: Any, _proxy: object) -> None:
        try:
            found = path.stat().st_ino
        except OSError:
            found = None
        if found != record.info["file"]:
            raise DisconnectionError("the file is another one")


def _sqlite_read_only(url: str) -> Engine:
    path = Path(make_url(url).database or "").absolute()
    # NOTE: in WAL mode SQLite wants to make a file beside the database. Where it can't, and no writer has left one,
    # nobody is writing, and SQLite may take the file as it is.
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    return create_engine(
        f"sqlite:///file:{quote(str(path))}?{options}&uri=true", connect_args={"timeout": _BUSY_SECONDS}
    )


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
