"""The warehouse: Iceberg tables whose ``main`` is what is published, with candidates on branches beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import ancestors_of
from sqlalchemy import Connection

from ecluse.engine import Engine
from ecluse.errors import EcluseError, IntegrityError, WarehouseError
from ecluse.model.location import S3Location
from ecluse.model.release import DataFile
from ecluse.model.tablefiles import FileRows
from ecluse.model.update import Update
from ecluse.store import Database
from ecluse.warehouse.border import border
from ecluse.warehouse.branches import Branches
from ecluse.warehouse.byfile import rows_by_file
from ecluse.warehouse.candidate import Branch, Candidate, Change, Parts
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft, is_root
from ecluse.warehouse.empty import drop_empty, is_empty
from ecluse.warehouse.expire import expire
from ecluse.warehouse.inventory import described, lying_in, recorded
from ecluse.warehouse.layout import partition_of
from ecluse.warehouse.objects import Wanted, open_store
from ecluse.warehouse.publish import Prepared, prepare, put_tag
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
from ecluse.warehouse.sweep import Orphan, orphans, sweep

_log = logging.getLogger("ecluse.warehouse")

_PLANS = 64


class Warehouse:
    """Iceberg tables under ``root``, in the catalog that the project's ``database`` holds.

    ``lease`` is how long a candidate is held without being renewed. What ``scan`` gives can be read while the
    warehouse lives: from an object store, it reads copies on the local disk.
    """

    def __init__(
        self, root: Path | S3Location, database: Database, *, lease: timedelta = timedelta(minutes=15)
    ) -> None:
        self.root = root.absolute() if isinstance(root, Path) else root
        with border("-"):
            self.objects = open_store(self.root)
            self.objects.prepare()
        self._catalog = Catalog(self.objects, database)
        self._database = database
        self._hashes = partial(recorded, database)
        self._branches = Branches(self._catalog, lease)
        self._plans: dict[int, list[FileScanTask]] = {}

    # ---- what is published, and what any snapshot holds

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

    # ---- candidates

    def begin(
        self,
        dataset: str,
        columns: Mapping[str, str],
        *,
        partition: str | None,
        run_id: str,
        attempt: int,
        personal: Collection[str] = (),
        renamed: Mapping[str, Sequence[str]] | None = None,
        shared: bool = False,
    ) -> Candidate:
        """Begin a candidate on a branch of its own, and take the lease of its partition.

        ``columns`` maps names to DuckDB types. Where they differ from what is published, the table learns the new
        schema, and ``main`` shows it only after publication. No bounds of ``personal`` columns enter Iceberg's
        manifests. ``renamed`` maps a column to what it was called before, the newest name first. ``Conflict`` where
        another run is at work on the same partition; an earlier attempt of the same run is over, and is deleted, and so
        is what killed runs left behind. With ``shared``, other runs may be at work on the partition too: each finds out
        what the others did when it publishes (``rebase``).
        """
        self._clean_abandoned()
        with border(dataset):
            return self._branches.begin(
                dataset,
                columns,
                partition=partition,
                run_id=run_id,
                attempt=attempt,
                personal=personal,
                renamed=renamed or {},
                shared=shared,
            )

    def write(self, engine: Engine, candidate: Candidate, sql: str, update: Update) -> Candidate:
        """Write a query's rows as the candidate's content; give back the candidate as it then is.

        ``replace`` takes the place of all published files of the same partition (of the whole table without one), or
        keeps them where they hold just these rows; ``append`` adds to them. What the candidate held before is deleted.
        ``DefinitionError`` where the query's columns are not the table's.
        """
        parts = None if candidate.partition is None else frozenset({candidate.partition})
        change = Change({candidate.partition: sql}, whole=update == "replace", looks_at=parts)
        return self.change(engine, candidate, change, update)

    def change(self, engine: Engine, candidate: Candidate, change: Change, update: Update) -> Candidate:
        """Write what a step does to the published files as the candidate's content; the candidate as it then is."""
        with border(candidate.dataset):
            return self._branches.change(engine, candidate, change, update)

    def keep_computed(self, engine: Engine, candidate: Candidate, sql: str) -> Candidate:
        """Keep a query's rows beside a candidate that holds what follows from them, until it is published or dropped.

        They are in no snapshot, and no reader sees them; ``scan_computed`` reads them.
        """
        with border(candidate.dataset):
            return self._branches.keep_computed(engine, candidate, sql)

    def drop_computed(self, candidate: Candidate) -> None:
        """Delete the computed rows that were kept beside a candidate, once it is published."""
        with border(candidate.dataset):
            self._branches.drop_computed(candidate)

    def occupy(self, candidate: Candidate, partitions: Iterable[str]) -> None:
        """Take the leases of partitions that a candidate works on beside its own; all of them, or ``Conflict``."""
        with border(candidate.dataset):
            self._branches.occupy(candidate, partitions)

    def vacate(self, run_id: str, connection: Connection) -> None:
        """End all leases of a run, inside the transaction of ``connection``."""
        self._branches.vacate(run_id, connection)

    def hold(self, run_id: str) -> int:
        """Hold all partitions that a run works on for another while; how many there are."""
        return self._branches.hold(run_id)

    @property
    def lease(self) -> timedelta:
        """How long a candidate is held without being renewed."""
        return self._branches.lease

    def release(self, candidate: Candidate | Branch) -> None:
        """Give the lease back and leave the candidate for inspection, until ``clean_expired``."""
        self._branches.give_back(candidate)

    def recalled(self, dataset: str) -> list[Candidate]:
        """The candidates of a dataset that a run can take up, as their steps described them, whoever holds them."""
        with border(dataset):
            return self._branches.recalled(dataset)

    def take_up(self, dataset: str, branch: str, run_id: str) -> Candidate:
        """Hold a candidate that another run left whole, for ``run_id``; its files are confirmed byte for byte.

        ``Conflict`` where somebody is at work on its partition. ``WarehouseError`` where the branch can't be taken up:
        nothing was written down of it, or it isn't what was. ``IntegrityError`` for a file that was altered.
        """
        with border(dataset):
            candidate = self._branches.take_up(dataset, branch, run_id)
        try:
            self.confirm(dataset, (*candidate.written, *(candidate.computed or ())))
        except BaseException:
            self.release(candidate)
            raise
        self._clean_abandoned()
        return candidate

    def give_up(self, run_id: str) -> None:
        """Say that a run of this process is over, where it could not discard its candidates: the next one does."""
        self._branches.give_up(run_id)

    def discard(self, candidate: Candidate | Branch) -> None:
        """Delete a candidate with its branch, lease and files; what is or was published is never touched."""
        with border(candidate.dataset):
            self._branches.drop(candidate.dataset, candidate.branch)

    def candidates(self) -> list[Branch]:
        """Every branch beside ``main``, with the state of its lease."""
        with border("-"):
            return self._branches.all()

    def clean_expired(self, grace: timedelta = timedelta(0), dataset: str | None = None) -> list[str]:
        """Delete the candidates (of a dataset) whose lease ended at least ``grace`` ago; their branches' names.

        A lease ends by itself when it isn't renewed, and at once when its process on this machine is dead.
        """
        with border(dataset or "-"):
            return self._branches.clean_expired(grace, dataset)

    def _clean_abandoned(self) -> None:
        """Delete the candidates of runs that are over for certain. What hinders that must not hinder another run."""
        try:
            with border("-"):
                self._branches.clean_abandoned()
        except EcluseError as error:
            _log.warning("what a killed run left behind stays: %s", error)

    # ---- publication

    def prepare(self, candidates: Sequence[Candidate], tags: Mapping[str, str] | None = None) -> Prepared:
        """Write everything that publishing these candidates together needs, without publishing them.

        ``tags`` maps a dataset to the tag that its new snapshot gets. ``Conflict`` where ``main`` moved: ``rebase``.
        """
        return prepare(self._catalog, candidates, tags or {})

    def rebase(self, candidate: Candidate) -> Candidate:
        """The candidate with the same data files on today's ``main``.

        Other partitions may have changed, and an append may follow others. ``Conflict`` where the partitions that it
        looks at changed, or both sides changed the columns: compute again.
        """
        with border(candidate.dataset):
            return self._branches.rebase(candidate)

    def restart(self, candidate: Candidate) -> Candidate:
        """The candidate on today's ``main``, to be changed again. ``Conflict`` where its columns aren't those there."""
        with border(candidate.dataset):
            return self._branches.restart(candidate)

    def tag(self, dataset: str, tag: str, snapshot_id: int, connection: Connection | None = None) -> None:
        """Tag a snapshot, inside the transaction of ``connection`` where one is given.

        Tags never move: ``Conflict`` where the tag stands on another snapshot.
        """

        def build(draft: Draft) -> None:
            schema_of(draft.table, dataset, snapshot_id)
            put_tag(draft, dataset, tag, snapshot_id)

        with border(dataset):
            self._catalog.carry_out(dataset, build, connection)

    def rollback(self, dataset: str, snapshot_id: int | None, connection: Connection | None = None) -> int | None:
        """Let ``main`` and its columns be what they were at a snapshot that was published; where it stood before.

        Snapshots that ``main`` leaves stay readable by id, and it can go forward to them again. ``None`` stands for the
        time before anything was published.
        """

        def build(draft: Draft) -> int | None:
            metadata, target = draft.metadata, snapshot_id
            if target is None:
                target = next(s.snapshot_id for s in metadata.snapshots if is_root(metadata, s.snapshot_id))
            found, before = metadata.snapshot_by_id(target), draft.main
            published = {entry.snapshot_id for entry in metadata.snapshot_log}
            published |= {s.snapshot_id for s in ancestors_of(metadata.current_snapshot(), metadata)}
            if found is None or target not in published:
                raise WarehouseError("warehouse.not_published", dataset=dataset, snapshot=target)
            if before != target:
                if found.schema_id is not None:
                    draft.set_current_schema(found.schema_id)
                draft.set_branch(MAIN_BRANCH, target)
            return None if before is None or is_root(metadata, before) else before

        with border(dataset):
            return self._catalog.carry_out(dataset, build, connection)

    # ---- what nobody needs any more

    def snapshots(self, dataset: str, connection: Connection | None = None) -> tuple[int, ...]:
        """Every snapshot that the table knows: published ones and candidates, without the empty root.

        ``connection`` sees what its transaction changed.
        """
        with border(dataset):
            metadata = self._catalog.open(dataset, connection).metadata
        return tuple(s.snapshot_id for s in metadata.snapshots if not is_root(metadata, s.snapshot_id))

    def expire(
        self,
        dataset: str,
        keep: Collection[int],
        older_than: timedelta,
        *,
        newest: int = 1,
        within: Callable[[Connection], None] | None = None,
        dry_run: bool = False,
    ) -> tuple[int, ...]:
        """Forget the snapshots that ``main`` left at least ``older_than`` ago and that nothing needs; their ids.

        What ``main``, a candidate or a tag needs stays, and so do every snapshot of ``keep`` and the ``newest`` that
        were published. Files are deleted by ``sweep``, whose grace begins now. ``within`` joins the transaction that
        forgets: what it raises leaves everything known. With ``dry_run`` nothing is forgotten.
        """
        with border(dataset):
            return expire(self._catalog, dataset, keep, older_than, newest=newest, within=within, dry_run=dry_run)

    def sweep(
        self,
        dataset: str | None = None,
        grace: timedelta = timedelta(days=7),
        *,
        dry_run: bool = False,
        without: Collection[str] = (),
    ) -> tuple[Orphan, ...]:
        """Delete the files that no snapshot and no metadata refers to and that are older than ``grace``.

        ``None`` sweeps all tables, and what is left of tables that were never finished. Files of a run that holds a
        lease stay, and so do those of the tables ``without``. A ``grace`` shorter than a publication takes is safe only
        while nothing is at work.
        """
        with border(dataset or "-"):
            found = orphans(self._catalog, dataset, grace, without)
            if found and not dry_run:
                sweep(self._catalog, found)
            return found

    def empty_tables(self, grace: timedelta) -> tuple[str, ...]:
        """The tables that never held a version and that nobody touched for ``grace``: a dry run leaves such."""
        return tuple(name for name in self.datasets() if is_empty(self._open(name).metadata, grace))

    def drop_empty(self, dataset: str) -> bool:
        """Forget a table that never held a version, unless somebody works on it; whether it is forgotten.

        Its files are what ``sweep`` finds of a table that was never finished.
        """
        with border(dataset):
            return drop_empty(self._catalog, dataset)

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
