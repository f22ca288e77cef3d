"""Snapshots of Iceberg tables, read: what is published, what any other snapshot holds, and what candidates brought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import ancestors_of

from ecluse.engine import Engine
from ecluse.errors import IntegrityError
from ecluse.model.location import S3Location
from ecluse.model.release import DataFile
from ecluse.model.tablefiles import FileRows
from ecluse.store import Database
from ecluse.warehouse.border import border
from ecluse.warehouse.byfile import rows_by_file
from ecluse.warehouse.candidate import Candidate, Parts
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import is_root
from ecluse.warehouse.inventory import described, lying_in, recorded
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.objects import Wanted, open_store
from ecluse.warehouse.read import (
    located_sql,
    numbered_sql,
    paired,
    rows_of,
    scan_sql,
    schema_of,
    select_sql,
    shared_files,
    tasks_of,
)
from ecluse.warehouse.schema import columns_of

_PLANS = 64


class Snapshots:
    """The tables under ``root``, as the catalog in the project's ``database`` knows them, to be read.

    What ``scan`` gives can be read while this lives: from an object store, it reads copies on the local disk.
    """

    def __init__(self, root: Path | S3Location, database: Database) -> None:
        self.root = root.absolute() if isinstance(root, Path) else root
        with border("-"):
            self.objects = open_store(self.root)
            self.objects.prepare()
        self._catalog = Catalog(self.objects, database)
        self._database = database
        self._hashes = partial(recorded, database)
        self._plans: dict[int, list[FileScanTask]] = {}

    def datasets(self) -> list[str]:
        """The names of all tables, quarantine included, published or not."""
        return self._catalog.datasets()

    def exists(self, dataset: str) -> bool:
        """Whether there is a table of that name."""
        return self._catalog.exists(dataset)

    def head(self, dataset: str) -> int | None:
        """The snapshot that is published; ``None`` where nothing ever was."""
        if not self.exists(dataset):
            return None
        metadata = self._open(dataset).metadata
        found = metadata.current_snapshot_id
        return None if found is None or is_root(metadata, found) else found

    def table_uuid(self, dataset: str) -> str:
        """The table's identity, which stays when its content changes."""
        return str(self._open(dataset).metadata.table_uuid)

    def columns(self, dataset: str, snapshot_id: int) -> dict[str, str]:
        """Column names and DuckDB types of a snapshot, in order."""
        return columns_of(schema_of(self._open(dataset), dataset, snapshot_id))

    def field_ids(self, dataset: str, snapshot_id: int) -> dict[str, int]:
        """Column names and Iceberg field ids of a snapshot: a column keeps its id when it is renamed or widened."""
        schema = schema_of(self._open(dataset), dataset, snapshot_id)
        return {field.name: field.field_id for field in schema.fields}

    def paired(self, dataset: str, before: int, after: int) -> dict[str, str]:
        """Which column of the snapshot ``before`` each column of ``after`` is: the same field, else the same name."""
        return paired(self.field_ids(dataset, before), self.field_ids(dataset, after))

    def history(self, dataset: str) -> tuple[int, ...]:
        """The snapshots that ``main`` was made of, the newest first, without the empty root."""
        metadata = self._open(dataset).metadata
        found = ancestors_of(metadata.current_snapshot(), metadata)
        return tuple(s.snapshot_id for s in found if not is_root(metadata, s.snapshot_id))

    def tags(self, dataset: str) -> dict[str, int]:
        """Tags and their snapshots."""
        refs = sorted(self._open(dataset).metadata.refs.items())
        return {name: ref.snapshot_id for name, ref in refs if ref.snapshot_ref_type == SnapshotRefType.TAG}

    def files(self, dataset: str, snapshot_id: int) -> tuple[DataFile, ...]:
        """The data files of a snapshot, in the order of their paths.

        Their hashes are those recorded when they were published; a file without such a record is read and hashed.
        """
        with border(dataset):
            return described(self._database, self.objects, self._tasks(self._open(dataset), dataset, snapshot_id))

    def scan(self, dataset: str, snapshot_id: int, partitions: Collection[str | None] | None = None) -> str:
        """A parenthesised ``SELECT`` that reads a snapshot, or only some of its partitions, with DuckDB.

        ``IntegrityError`` where a data file is gone or has another size than when it was written.
        """
        with border(dataset):
            table = self._open(dataset)
            schema = schema_of(table, dataset, snapshot_id)
            return self._scan(table, dataset, schema, self._tasks(table, dataset, snapshot_id), partitions)

    def scan_by_file(self, dataset: str, snapshot_id: int) -> tuple[FileRows, ...]:
        """A snapshot as ``scan`` gives it, one data file after the other, with what its rows depend on.

        None where the rows of a file hang on others: where another engine deleted rows, or wrote what only it reads.
        """
        with border(dataset):
            table = self._open(dataset)
            schema, tasks = schema_of(table, dataset, snapshot_id), self._tasks(table, dataset, snapshot_id)
            files = described(self._database, self.objects, tasks)
            return rows_by_file(self.objects, self._hashes, dataset, table, schema, tasks, files)

    def scan_unshared(self, dataset: str, one: int, other: int) -> tuple[str, str]:
        """Two snapshots as ``scan`` gives them, without the data files that hold the same rows in both."""
        with border(dataset):
            table = self._open(dataset)
            first, second = ((schema_of(table, dataset, s), self._tasks(table, dataset, s)) for s in (one, other))
            shared = shared_files(first, second)

            def own(schema: Schema, tasks: list[FileScanTask]) -> str:
                return self._scan(table, dataset, schema, [t for t in tasks if t.file.file_path not in shared])

            return own(*first), own(*second)

    def scan_located(
        self, candidate: Candidate, place: str, *, parts: Parts = None, only: Collection[str] | None = None
    ) -> tuple[str, dict[str, str]]:
        """What is published where a candidate stands, read under its columns; a column ``place`` says in which file.

        ``parts`` narrows it to some partitions, ``only`` to some files, by path. The mapping gives the path that each
        value of ``place`` stands for.
        """
        with border(candidate.dataset):
            table = self._open(candidate.dataset)
            schema = table.schemas()[candidate.schema_id]
            tasks = lying_in(self._tasks(table, candidate.dataset, candidate.base), parts)
            if only is not None:
                tasks = [task for task in tasks if self.objects.path(task.file.file_path) in only]
            return located_sql(self.objects, self._hashes, candidate.dataset, table, schema, tasks, place)

    def count(self, engine: Engine, dataset: str, snapshot_id: int, *, only: Collection[DataFile] | None = None) -> int:
        """How many rows a snapshot holds, or some of its files: by the counts that Iceberg keeps of both.

        Files of which other engines deleted rows are read.
        """
        with border(dataset):
            table = self._open(dataset)
            known = rows_of(table, dataset, snapshot_id)
            if known is not None:
                return known if only is None else sum(file.rows for file in only)
            tasks = self._tasks(table, dataset, snapshot_id)
            if only is not None:
                wanted = {file.path for file in only}
                tasks = [task for task in tasks if self.objects.path(task.file.file_path) in wanted]
            whole = sum(task.file.record_count for task in tasks if not task.delete_files)
            if not (partly := [task for task in tasks if task.delete_files]):
                return whole
            sql = self._scan(table, dataset, schema_of(table, dataset, snapshot_id), partly)
            return whole + int(engine.scalar(f"SELECT count(*) FROM {sql}"))

    def stands_on(self, dataset: str, snapshot_id: int) -> int | None:
        """The snapshot that another one was made from; ``None`` where that is the empty root."""
        metadata = self._open(dataset).metadata
        snapshot = metadata.snapshot_by_id(snapshot_id)
        parent = None if snapshot is None else snapshot.parent_snapshot_id
        return None if parent is None or is_root(metadata, parent) else parent

    def partitions(self, dataset: str, snapshot_id: int) -> frozenset[str | None]:
        """The partitions in which a snapshot has files; ``None`` for those that lie in none."""
        with border(dataset):
            tasks = self._tasks(self._open(dataset), dataset, snapshot_id)
            return frozenset(partition_of(task.file.file_path) for task in tasks)

    def marks(self, dataset: str, snapshot_id: int) -> dict[str, str]:
        """What stands in the summary of a snapshot."""
        snapshot = self._open(dataset).metadata.snapshot_by_id(snapshot_id)
        return dict(snapshot.summary.additional_properties) if snapshot and snapshot.summary else {}

    def scan_files(self, candidate: Candidate) -> str:
        """A parenthesised ``SELECT`` of the rows that a candidate stands for, and of no others."""
        with border(candidate.dataset):
            if candidate.kept:
                kept = frozenset(file.path for file in candidate.kept)
                return self._scan_kept(candidate, kept)
            return self._scan_written(candidate, candidate.files)

    def scan_computed(self, candidate: Candidate) -> str:
        """A parenthesised ``SELECT`` of the computed rows that a candidate keeps beside its branch."""
        with border(candidate.dataset):
            return self._scan_written(candidate, candidate.computed or ())

    def confirm(self, dataset: str, files: Iterable[DataFile]) -> None:
        """Hash data files; ``IntegrityError`` for the first that is not, byte for byte, what was published."""
        with border(dataset):
            for file in files:
                if self.objects.digest(file.path) != file.sha256:
                    raise IntegrityError("warehouse.other_content", dataset=dataset, path=file.path)

    def _scan_written(self, candidate: Candidate, files: Sequence[DataFile]) -> str:
        """The rows of files that were written for a candidate."""
        schema = self._open(candidate.dataset).schemas()[candidate.schema_id]
        local = self.fetch(candidate.dataset, files)
        return select_sql(schema, {(): [local[file.path] for file in files]})

    def _scan_kept(self, candidate: Candidate, kept: Collection[str]) -> str:
        """The rows of published files that hold what a candidate computed, and of those that it adds."""
        table = self._open(candidate.dataset)
        paths = {*kept, *(file.path for file in candidate.files)}
        snapshot = candidate.base if candidate.snapshot_id is None else candidate.snapshot_id
        tasks = self._tasks(table, candidate.dataset, snapshot)
        wanted = [task for task in tasks if self.objects.path(task.file.file_path) in paths]
        return self._scan(table, candidate.dataset, table.schemas()[candidate.schema_id], wanted)

    def fetch(self, dataset: str, files: Sequence[DataFile]) -> dict[str, Path]:
        """Local files by path, to be read while this warehouse lives; ``IntegrityError`` where one is gone."""
        hashes = {file.path: file.sha256 for file in files}
        with border(dataset):
            wanted = [Wanted(file.path, file.bytes) for file in files]
            return self.objects.fetch(dataset, wanted, lambda _: hashes)

    def scan_copies(self, dataset: str, snapshot_id: int, copies: Mapping[str, Path], number: str) -> dict[str, str]:
        """By path, a parenthesised ``SELECT`` of each copy of a snapshot's data files, under the snapshot's columns.

        A column ``number`` tells a row's place in its file, from 0. ``WarehouseError`` where another engine wrote a
        file, or deleted rows of it, in a way that the file by itself doesn't show.
        """
        with border(dataset):
            table = self._open(dataset)
            schema = schema_of(table, dataset, snapshot_id)
            tasks = [
                t for t in self._tasks(table, dataset, snapshot_id) if self.objects.path(t.file.file_path) in copies
            ]
            located = {t.file.file_path: copies[self.objects.path(t.file.file_path)] for t in tasks}
            found = numbered_sql(dataset, table, schema, tasks, located, number)
            return {self.objects.path(location): sql for location, sql in found.items()}

    def path(self, file: DataFile) -> Path:
        """Where a data file, or its copy, stands on the local disk."""
        return self.objects.local(file.path)

    def _open(self, dataset: str) -> Table:
        with border(dataset):
            return self._catalog.open(dataset)

    def _scan(
        self,
        table: Table,
        dataset: str,
        schema: Schema,
        tasks: Iterable[FileScanTask],
        partitions: Collection[str | None] | None = None,
    ) -> str:
        return scan_sql(self.objects, self._hashes, dataset, table, schema, tasks, partitions)

    def _tasks(self, table: Table, dataset: str, snapshot_id: int) -> list[FileScanTask]:
        """The files of a snapshot, which never change; planned once for the few snapshots that a step looks at."""
        if table.metadata.snapshot_by_id(snapshot_id) is None or snapshot_id not in self._plans:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            self._plans[snapshot_id] = tasks_of(table, dataset, snapshot_id)
        return self._plans[snapshot_id]
