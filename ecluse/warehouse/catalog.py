"""The Iceberg catalog in the project's database: it moves tables on a connection that its caller commits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.catalog.sql import (
    ICEBERG_TABLE_TYPE,
    IcebergNamespaceProperties,
    IcebergTables,
    SqlCatalog,
    SqlCatalogBaseTable,
)
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationError
from pyiceberg.io import FileIO
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.typedef import EMPTY_DICT, Properties
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.exc import IntegrityError as AlreadyThere

from ecluse.errors import Conflict, IntegrityError, WarehouseError
from ecluse.store import Database
from ecluse.warehouse.draft import Draft
from ecluse.warehouse.objects import ObjectStore
from ecluse.warehouse.schema import PUBLISHED

NAME = "ecluse"
_TRIES = 40
#: The newest format version that PyIceberg writes.
_FORMAT = 2
_TABLES = cast("SqlTable", IcebergTables.__table__)
_NAMESPACES = cast("SqlTable", IcebergNamespaceProperties.__table__)
_KEPT = 50
_PROPERTIES = {"write.metadata.previous-versions-max": str(_KEPT), PUBLISHED: "0"}

T = TypeVar("T")


@dataclass(frozen=True)
class Move:
    """One table's step from one metadata file to the next; ``before`` is ``None`` for a new table."""

    dataset: str
    before: str | None
    after: str


class Catalog(SqlCatalog):
    """PyIceberg's SQL catalog on the project's own engine, with commits that join the caller's transaction.

    Other Iceberg engines open the same tables: catalog ``ecluse`` in the project's database.
    """

    def __init__(self, objects: ObjectStore, database: Database) -> None:
        # NOTE: SqlCatalog's own constructor makes an engine of its own, which could not share a transaction.
        MetastoreCatalog.__init__(self, NAME, warehouse=objects.location)
        self.objects = objects
        self.database = database
        self.engine = database.engine
        database.ensure(SqlCatalogBaseTable.metadata)
        self._schema_version = "v1"

    def datasets(self) -> list[str]:
        """The names of all tables."""
        statement = select(_TABLES.c.table_namespace, _TABLES.c.table_name).where(_TABLES.c.catalog_name == NAME)
        with self.database.reading() as connection:
            return sorted(f"{space}.{name}" for space, name in connection.execute(statement))

    def open(self, dataset: str, connection: Connection | None = None) -> Table:
        """The table as the database has it, seen through ``connection`` where its transaction may have moved it."""
        if connection is None:
            with self.database.reading() as fresh:
                location = self._location(dataset, fresh)
        else:
            location = self._location(dataset, connection)
        if location is None:
            raise NoSuchTableError(dataset)
        io = self.objects.io
        try:
            metadata = FromInputFile.table_metadata(io.new_input(location))
        except (ValueError, ValidationError) as error:
            raise IntegrityError("warehouse.damaged_file", dataset=dataset, error=location) from error
        return Table(_identifier(dataset), metadata, location, io, self)

    def exists(self, dataset: str) -> bool:
        """Whether there is a table of that name."""
        with self.database.reading() as connection:
            return self._location(dataset, connection) is not None

    def commit(
        self,
        dataset: str,
        build: Callable[[Draft], T],
        *,
        within: Callable[[Connection], None] | None = None,
        first: Callable[[], Schema] | None = None,
    ) -> T:
        """Change one table in a transaction of its own; what ``build`` gave.

        ``build`` drafts the change and is called again on the table's new state when somebody else was faster.
        ``within`` joins the same transaction. ``first`` gives the schema of a table that does not exist yet.
        """
        for attempt in range(_TRIES):
            draft = Draft(self._table_or_new(dataset, first))
            try:
                made = build(draft)
                move = self.stage(draft)
            except BaseException:
                draft.abandon()
                raise
            try:
                with self.database.transaction() as connection:
                    if within is not None:
                        within(connection)
                    if move is not None:
                        self.move(connection, move)
            # NOTE: only where the transaction certainly came to nothing. After any other error the row may have moved,
            # and its files must stay.
            except CommitFailedException:
                self._abandon(draft, move)
                time.sleep(random.uniform(0, min(0.02 * 2**attempt, 1.0)))  # noqa: S311 - only spreads retries
            except Conflict:
                self._abandon(draft, move)
                raise
            else:
                self._drop_old_metadata(draft, move)
                return made
        raise Conflict("warehouse.busy", dataset=dataset, tries=_TRIES)

    def carry_out(self, dataset: str, build: Callable[[Draft], T], connection: Connection | None) -> T:
        """Change one table inside the caller's transaction, or in one of its own where ``connection`` is ``None``."""
        return self.commit(dataset, build) if connection is None else self.change(connection, dataset, build)

    def change(self, connection: Connection, dataset: str, build: Callable[[Draft], T]) -> T:
        """Change one table inside the caller's transaction; what ``build`` gave."""
        self.lock(connection, dataset)
        draft = Draft(self.open(dataset, connection))
        made = build(draft)
        if (move := self.stage(draft)) is not None:
            self.move(connection, move)
        return made

    def stage(self, draft: Draft) -> Move | None:
        """Write the metadata file of a draft; nothing points to it yet. ``None`` where there is nothing to do."""
        table, before = draft.table, draft.table.metadata_location or None
        if before is not None and not draft.updates:
            return None
        metadata = draft.finished()
        if metadata.format_version > _FORMAT:
            raise WarehouseError("warehouse.format", dataset=".".join(table.name()), version=metadata.format_version)
        version = self._parse_metadata_version(before) + 1 if before else 0
        after = load_location_provider(metadata.location, metadata.properties).new_table_metadata_file_location(version)
        self._write_metadata(metadata, table.io, after)
        if before is None:
            self.objects.settle(self.objects.path(after))
        return Move(".".join(table.name()), before, after)

    def move(self, connection: Connection, move: Move) -> None:
        """Compare and swap one table's row; ``CommitFailedException`` where somebody else was faster."""
        if move.before is None:
            self._insert(connection, move)
            return
        statement = update(_TABLES).where(_is(move.dataset), _TABLES.c.metadata_location == move.before)
        moved = connection.execute(
            statement.values(metadata_location=move.after, previous_metadata_location=move.before)
        )
        if moved.rowcount < 1:
            raise CommitFailedException(f"{move.dataset} changed meanwhile")

    def _insert(self, connection: Connection, move: Move) -> None:
        *spaces, name = _identifier(move.dataset)
        space = ".".join(spaces)
        if self._location(move.dataset, connection) is not None:
            raise CommitFailedException(f"{move.dataset} was made meanwhile")
        known = select(_NAMESPACES).where(_NAMESPACES.c.catalog_name == NAME, _NAMESPACES.c.namespace == space)
        try:
            if connection.execute(known).first() is None:
                connection.execute(
                    insert(_NAMESPACES).values(
                        catalog_name=NAME, namespace=space, property_key="exists", property_value="true"
                    )
                )
            connection.execute(
                insert(_TABLES).values(
                    catalog_name=NAME,
                    table_namespace=space,
                    table_name=name,
                    metadata_location=move.after,
                    iceberg_type=ICEBERG_TABLE_TYPE,
                )
            )
        except AlreadyThere as error:
            raise CommitFailedException(f"{move.dataset} was made meanwhile") from error

    def _location(self, dataset: str, connection: Connection) -> str | None:
        return cast("str | None", connection.execute(select(_TABLES.c.metadata_location).where(_is(dataset))).scalar())

    def drop(self, connection: Connection, table: Table) -> bool:
        """Forget a table, if it still is the version that was read; whether it is forgotten. Its files stay."""
        statement = delete(_TABLES).where(
            _is(".".join(table.name())), _TABLES.c.metadata_location == table.metadata_location
        )
        return connection.execute(statement).rowcount > 0

    def lock(self, connection: Connection, dataset: str) -> str | None:
        """The table's current metadata file, which nobody else moves until the transaction ends."""
        # NOTE: SQLite knows no FOR UPDATE, and needs none: its transaction is the only one that writes.
        statement = select(_TABLES.c.metadata_location).where(_is(dataset)).with_for_update()
        return cast("str | None", connection.execute(statement).scalar())

    def _table_or_new(self, dataset: str, first: Callable[[], Schema] | None) -> Table:
        try:
            return self.open(dataset)
        except NoSuchTableError:
            if first is None:
                raise
        location = self.objects.location_of("/".join(_identifier(dataset)))
        metadata = new_table_metadata(
            first(), UNPARTITIONED_PARTITION_SPEC, UNSORTED_SORT_ORDER, location, properties=dict(_PROPERTIES)
        )
        return Table(_identifier(dataset), metadata, "", self.objects.io, self)

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:  # noqa: ARG002
        # NOTE: PyIceberg would make one from properties, and credentials would stand in them.
        return self.objects.io

    def _abandon(self, draft: Draft, move: Move | None) -> None:
        draft.abandon()
        if move is not None:
            self.objects.delete([self.objects.path(move.after)])

    def _drop_old_metadata(self, draft: Draft, move: Move | None) -> None:
        """Delete the metadata files that are older than all those that the table's own log names."""
        named = draft.table.metadata.metadata_log
        if move is None or len(named) < _KEPT:
            return
        oldest = min(_version(entry.metadata_file) for entry in named[1:])
        folder = self.objects.path(move.after).rpartition("/")[0]
        found = [name for name in self.objects.names(folder) if name.endswith(".metadata.json")]
        self.objects.delete(f"{folder}/{name}" for name in found if _version(name) < oldest)


def _identifier(dataset: str) -> tuple[str, ...]:
    return tuple(dataset.split("."))


def _is(dataset: str) -> ColumnElement[bool]:
    *spaces, name = _identifier(dataset)
    return and_(
        _TABLES.c.catalog_name == NAME, _TABLES.c.table_namespace == ".".join(spaces), _TABLES.c.table_name == name
    )


def _version(location: str) -> int:
    return int(location.rsplit("/", 1)[-1].split("-", 1)[0])
