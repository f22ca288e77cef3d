"""The warehouse: Iceberg tables whose ``main`` is what is published, with candidates on branches beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import ancestors_of
from sqlalchemy import Connection

from ecluse.engine import Engine
from ecluse.errors import WarehouseError
from ecluse.model.release import DataFile
from ecluse.model.step import Update
from ecluse.store import Database
from ecluse.warehouse.border import border
from ecluse.warehouse.branches import Branches
from ecluse.warehouse.candidate import Branch, Candidate
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft, is_root
from ecluse.warehouse.expire import expire
from ecluse.warehouse.inventory import described
from ecluse.warehouse.publish import Prepared, prepare, put_tag
from ecluse.warehouse.read import confirm, scan_sql, schema_of, select_sql, shared_files, tasks_of
from ecluse.warehouse.schema import columns_of
from ecluse.warehouse.sweep import Orphan, orphans, sweep

_PLANS = 64


class Warehouse:
    """Iceberg tables under ``root``, in the catalog that the project's ``database`` holds.

    ``lease`` is how long a candidate is held without being renewed.
    """

    def __init__(self, root: Path, database: Database, *, lease: timedelta = timedelta(minutes=15)) -> None:
        self.root = root.absolute()
        with border("-"):
            self.root.mkdir(parents=True, exist_ok=True)
        self._catalog = Catalog(self.root, database)
        self._database = database
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
            return described(self._database, self.root, self._tasks(self._open(dataset), dataset, snapshot_id))

    def scan(self, dataset: str, snapshot_id: int, partitions: Collection[str] | None = None) -> str:
        """A parenthesised ``SELECT`` that reads a snapshot, or only some of its partitions, with DuckDB.

        ``IntegrityError`` where a data file is gone or has another size than when it was written.
        """
        with border(dataset):
            table = self._open(dataset)
            schema = schema_of(table, dataset, snapshot_id)
            return scan_sql(dataset, schema, self._tasks(table, dataset, snapshot_id), partitions)

    def scan_unshared(self, dataset: str, one: int, other: int) -> tuple[str, str]:
        """Two snapshots as ``scan`` gives them, without the data files that hold the same rows in both."""
        with border(dataset):
            table = self._open(dataset)
            first, second = ((schema_of(table, dataset, s), self._tasks(table, dataset, s)) for s in (one, other))
            shared = shared_files(first, second)

            def own(schema: Schema, tasks: list[FileScanTask]) -> str:
                return scan_sql(dataset, schema, [task for task in tasks if task.file.file_path not in shared])

            return own(*first), own(*second)

    def scan_files(self, candidate: Candidate) -> str:
        """A parenthesised ``SELECT`` of the rows that a candidate itself holds, and of no others."""
        with border(candidate.dataset):
            schema = self._open(candidate.dataset).schemas()[candidate.schema_id]
            for file in candidate.files:
                confirm(candidate.dataset, self.path(file), file.bytes)
            return select_sql(schema, {(): [self.path(file) for file in candidate.files]})

    def path(self, file: DataFile) -> Path:
        """Where a data file lies."""
        return self.root / file.path

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
    ) -> Candidate:
        """Begin a candidate on a branch of its own, and take the lease of its partition.

        ``columns`` maps names to DuckDB types. Where they differ from what is published, the table learns the new
        schema, and ``main`` shows it only after publication. No bounds of ``personal`` columns enter Iceberg's
        manifests. ``Conflict`` where another run is at work on the same partition; an earlier attempt of the same run
        is over, and is deleted.
        """
        with border(dataset):
            return self._branches.begin(
                dataset, columns, partition=partition, run_id=run_id, attempt=attempt, personal=personal
            )

    def write(self, engine: Engine, candidate: Candidate, sql: str, update: Update) -> Candidate:
        """Write a query's rows as the candidate's content; give back the candidate as it then is.

        ``replace`` takes the place of all published files of the same partition, ``append`` adds to them. What the
        candidate held before is deleted. ``DefinitionError`` where the query's columns are not the table's.
        """
        with border(candidate.dataset):
            return self._branches.write(engine, candidate, sql, update)

    def hold(self, run_id: str) -> int:
        """Hold all partitions that a run works on for another while; how many there are."""
        return self._branches.hold(run_id)

    @property
    def lease(self) -> timedelta:
        """How long a candidate is held without being renewed."""
        return self._branches.lease

    def release(self, candidate: Candidate) -> None:
        """Give the lease back and leave the candidate for inspection, until ``clean_expired``."""
        self._branches.renew(candidate, timedelta(0))

    def discard(self, candidate: Candidate | Branch) -> None:
        """Delete a candidate with its branch, lease and files; what is or was published is never touched."""
        with border(candidate.dataset):
            self._branches.drop(candidate.dataset, candidate.branch)

    def candidates(self) -> list[Branch]:
        """Every branch beside ``main``, with the state of its lease."""
        with border("-"):
            return self._branches.all()

    def clean_expired(self, grace: timedelta = timedelta(0), dataset: str | None = None) -> list[str]:
        """Delete the candidates (of a dataset) whose lease ran out at least ``grace`` ago; their branches' names."""
        with border(dataset or "-"):
            return self._branches.clean_expired(grace, dataset)

    # ---- publication

    def prepare(self, candidates: Sequence[Candidate], tags: Mapping[str, str] | None = None) -> Prepared:
        """Write everything that publishing these candidates together needs, without publishing them.

        ``tags`` maps a dataset to the tag that its new snapshot gets. ``Conflict`` where ``main`` moved: ``rebase``.
        """
        return prepare(self._catalog, candidates, tags or {})

    def rebase(self, candidate: Candidate) -> Candidate:
        """The candidate with the same data files on today's ``main``.

        Other partitions may have changed, and an append may follow others. ``Conflict`` where the partition that it
        replaces changed, or both sides changed the columns: compute again.
        """
        with border(candidate.dataset):
            return self._branches.rebase(candidate)

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

    def expire(self, dataset: str, keep: Collection[int], older_than: timedelta) -> tuple[int, ...]:
        """Forget the snapshots made before ``older_than`` ago that nothing needs; their ids.

        What ``main``, a candidate or a tag points to stays, and so does every snapshot of ``keep``. Files are deleted
        by ``sweep``, whose grace begins now.
        """
        with border(dataset):
            return expire(self._catalog, dataset, keep, older_than)

    def sweep(
        self, dataset: str | None = None, grace: timedelta = timedelta(days=7), *, dry_run: bool = False
    ) -> tuple[Orphan, ...]:
        """Delete the files that no snapshot and no metadata refers to and that are older than ``grace``.

        ``None`` sweeps all tables, and what is left of tables that were never finished. Files of a run that holds a
        lease stay. A ``grace`` shorter than a publication takes is safe only while nothing is at work.
        """
        with border(dataset or "-"):
            found = orphans(self._catalog, dataset, grace)
            if found and not dry_run:
                sweep(self._catalog, found)
            return found

    def _open(self, dataset: str) -> Table:
        with border(dataset):
            return self._catalog.open(dataset)

    def _tasks(self, table: Table, dataset: str, snapshot_id: int) -> list[FileScanTask]:
        """The files of a snapshot, which never change; planned once for the few snapshots that a step looks at."""
        if table.metadata.snapshot_by_id(snapshot_id) is None or snapshot_id not in self._plans:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            self._plans[snapshot_id] = tasks_of(table, dataset, snapshot_id)
        return self._plans[snapshot_id]
