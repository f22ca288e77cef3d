"""Brings a project's database to the version of this Écluse: explicitly, whole, and never under somebody at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text, update

from ecluse.errors import Conflict, StorageError
from ecluse.store.database import Database
from ecluse.store.schema import VERSION, leases, meta

if TYPE_CHECKING:
    from alembic.script import Script


@dataclass(frozen=True)
class Upgrade:
    """From which version to which; ``steps`` says what each one between does. Versions are the same when it is done."""

    before: str
    after: str
    steps: tuple[str, ...]


def planned(database: Database) -> Upgrade:
    """What ``upgrade`` would do. ``StorageError`` where the database is newer than this Écluse, or isn't one of it."""
    with database.unchecked() as connection:
        before = _version(connection, database)
    return Upgrade(before, VERSION, tuple(_says(script) for script in _scripts(before, database)))


def upgrade(database: Database) -> Upgrade:
    """Carry out every step between in one transaction: all of them, or none.

    ``Conflict`` where a run holds a lease: its process was started by the older version.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with database.unchecked() as connection:
        before = _version(connection, database)
        scripts = list(_scripts(before, database))
        _refuse_work(connection)
        with Operations.context(MigrationContext.configure(connection)):
            for script in scripts:
                script.module.upgrade()
        connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=VERSION))
    return Upgrade(before, VERSION, tuple(_says(script) for script in scripts))


def _version(connection: Connection, database: Database) -> str:
    if not inspect(connection).has_table(meta.name):
        raise StorageError("store.no_database", url=database.shown)
    found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar()
    return str(found)


def _scripts(before: str, database: Database) -> Iterator[Script]:
    """The steps from a version to today's, in order."""
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError

    if before == VERSION:
        return
    directory = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    try:
        yield from reversed(list(directory.iterate_revisions(VERSION, before)))
    except RevisionError as error:
        raise StorageError("store.newer", url=database.shown, found=before, wanted=VERSION) from error


def _refuse_work(connection: Connection) -> None:
    # NOTE: the columns that every version has; the others are what may be missing.
    held = select(leases.c.branch, leases.c.holder, leases.c.expires).where(
        leases.c.expires > datetime.now(UTC).isoformat(timespec="microseconds")
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {leases.name} IN ACCESS EXCLUSIVE MODE"))
    found = connection.execute(held).first()
    if found is not None:
        raise Conflict("store.at_work", branch=found.branch, holder=found.holder, until=found.expires)


def _says(script: Script) -> str:
    return f"{script.revision}: {script.doc}"
