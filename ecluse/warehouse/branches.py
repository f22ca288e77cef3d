"""Candidates on their branches: begun under a lease, written as one snapshot, rebased, dropped without a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from sqlalchemy import Connection

from ecluse.engine import FILE_BYTES, Engine
from ecluse.errors import Conflict, WarehouseError
from ecluse.model.names import branch_name
from ecluse.model.update import Update
from ecluse.warehouse import kept, leases
from ecluse.warehouse.candidate import Branch, Candidate, Change
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft
from ecluse.warehouse.files import added_by, as_iceberg, write_files
from ecluse.warehouse.inventory import lying_in, names_of
from ecluse.warehouse.layout import new_folder
from ecluse.warehouse.read import tasks_of
from ecluse.warehouse.schema import evolved_schema, extends, first_schema, wanted_types, without_metrics
from ecluse.warehouse.writer import Writer


@dataclass(frozen=True)
class Branches:
    """The candidates of all tables of a catalog; ``lease`` is how long one is held without being renewed."""

    catalog: Catalog
    lease: timedelta

    def begin(
        self,
        dataset: str,
        columns: Mapping[str, str],
        *,
        partition: str | None,
        run_id: str,
        attempt: int,
        personal: Collection[str],
        renamed: Mapping[str, Sequence[str]],
        shared: bool,
    ) -> Candidate:
        """A candidate on a branch of its own, with lease and schema, in one transaction."""
        branch = branch_name(dataset, partition, run_id, attempt)
        types = wanted_types(dataset, columns)
        replaced: list[str] = []
        stale: list[str] = []

        def take(connection: Connection) -> None:
            replaced[:] = leases.take(connection, branch, dataset, run_id, self.lease, shared=shared)

        def build(draft: Draft) -> Candidate:
            if draft.main is None:
                draft.root()
            base, base_schema = draft.main, draft.metadata.current_schema_id
            assert base is not None
            schema = evolved_schema(dataset, draft.metadata, types, renamed)
            draft.add_schema(schema)
            draft.set_properties(without_metrics(schema, personal))
            stale[:] = _reset(draft, branch, base)
            kept.forget(draft, branch)
            return Candidate(dataset, partition, branch, base, run_id, attempt, schema.schema_id, base_schema)

        candidate = self.catalog.commit(dataset, build, within=take, first=lambda: first_schema(types))
        self._delete(stale)
        for other in replaced:
            if other != branch:
                self.drop(dataset, other)
        return candidate

    def change(self, engine: Engine, candidate: Candidate, change: Change, update: Update) -> Candidate:
        """The candidate with a change as its only content."""
        self.renew(candidate, self.lease)
        table = self.catalog.open(candidate.dataset)
        # NOTE: rows that are only added need no look at what is there.
        alone = update == "append" and not change.removed
        base = [] if alone else tasks_of(table, candidate.dataset, candidate.base)
        writer = Writer(engine, self.catalog, table, candidate, base)
        try:
            written = writer.carry_out(change)
        except BaseException:
            self.catalog.objects.delete(file.path for file in writer.files)
            raise
        seen = None if alone else names_of(self.catalog.objects, lying_in(base, change.looks_at))
        written = replace(written, looks_at=change.looks_at, seen=seen, marks=change.marks, update=update)
        try:
            return self._put(written, base, keep=frozenset())
        except Conflict:
            self.catalog.objects.delete(file.path for file in writer.files)
            raise

    def keep_computed(self, engine: Engine, candidate: Candidate, sql: str) -> Candidate:
        """The candidate with a query's rows in files beside its branch, written down with what its step says of it."""
        self.renew(candidate, self.lease)
        table, objects = self.catalog.open(candidate.dataset), self.catalog.objects
        root = objects.path(table.location())
        folder = new_folder(root, candidate.partition, candidate.run_id, candidate.attempt)
        schema = table.schemas()[candidate.schema_id]
        files = write_files(engine, candidate.dataset, sql, schema, folder, objects, FILE_BYTES)
        kept_whole = replace(candidate, computed=files)

        def build(draft: Draft) -> Candidate:
            if draft.head(candidate.branch) != candidate.snapshot_id:
                raise Conflict("warehouse.lease_lost", branch=candidate.branch)
            kept.write_down(draft, kept_whole)
            return kept_whole

        try:
            return self.catalog.commit(candidate.dataset, build, within=self._still_held(candidate))
        except Conflict:
            objects.delete(file.path for file in files)
            raise

    def drop_computed(self, candidate: Candidate) -> None:
        """Delete the files with computed rows of a candidate that is written down no more."""
        self.catalog.objects.delete(file.path for file in candidate.computed or ())

    def recalled(self, dataset: str) -> list[Candidate]:
        """The candidates of a table that a run can take up, whoever holds them."""
        if not self.catalog.exists(dataset):
            return []
        return kept.all_recalled(self.catalog.open(dataset).metadata)

    def take_up(self, dataset: str, branch: str, run_id: str) -> Candidate:
        """A candidate that nobody holds any more, held by another run from now on, as it was written down."""
        with self.catalog.database.transaction() as connection:
            leases.take_over(connection, branch, run_id, self.lease)
        try:
            return replace(self._as_written(dataset, branch), run_id=run_id)
        except BaseException:
            with self.catalog.database.transaction() as connection:
                leases.give_back(connection, branch, run_id)
            raise

    def _as_written(self, dataset: str, branch: str) -> Candidate:
        """``WarehouseError`` where a branch holds other files than were written down, or nothing was."""
        table = self.catalog.open(dataset)
        found = kept.recalled(table.metadata, branch)
        if found is None:
            raise WarehouseError("warehouse.not_resumable", branch=branch)
        head, base = table.metadata.refs[branch].snapshot_id, tasks_of(table, dataset, found.base)
        expected = names_of(self.catalog.objects, base) - {file.path for file in found.removed}
        expected |= {file.path for file in found.written}
        if head != found.snapshot_id or names_of(self.catalog.objects, tasks_of(table, dataset, head)) != expected:
            raise WarehouseError("warehouse.other_branch", branch=branch)
        return found

    def rebase(self, candidate: Candidate) -> Candidate:
        """The candidate with the same data files on today's ``main``, where what it was decided from is the same."""
        self.renew(candidate, self.lease)
        table = self.catalog.open(candidate.dataset)
        main, today = table.metadata.current_snapshot_id, table.metadata.current_schema_id
        assert main is not None, "a table with a candidate has a root snapshot"
        if main == candidate.base and today in (candidate.base_schema_id, candidate.schema_id):
            return candidate
        if candidate.seen is not None:
            now = lying_in(tasks_of(table, candidate.dataset, main), candidate.looks_at)
            if names_of(self.catalog.objects, now) != candidate.seen:
                raise Conflict(
                    "warehouse.partition_moved", dataset=candidate.dataset, partition=candidate.partition or "all"
                )
        moved = self.on_main(candidate, table)
        base = tasks_of(table, moved.dataset, moved.base) if moved.removed else []
        return self._put(moved, base, keep=frozenset(file.path for file in candidate.written))

    def on_main(self, candidate: Candidate, table: Table | None = None) -> Candidate:
        """The candidate on today's ``main``, which has to be put there, or changed, next."""
        table = table or self.catalog.open(candidate.dataset)
        main, today = table.metadata.current_snapshot_id, table.metadata.current_schema_id
        assert main is not None, "a table with a candidate has a root snapshot"
        if today not in (candidate.base_schema_id, candidate.schema_id):
            changes = candidate.schema_id != candidate.base_schema_id
            if changes or not extends(table.schemas()[today], table.schemas()[candidate.schema_id]):
                raise Conflict("warehouse.columns_moved", dataset=candidate.dataset)
            candidate = replace(candidate, schema_id=today)
        return replace(candidate, base=main, base_schema_id=today)

    def restart(self, candidate: Candidate) -> Candidate:
        """The candidate on today's ``main``, for rows under its own columns to be held against what is there."""
        moved = self.on_main(candidate)
        if moved.schema_id != candidate.schema_id:
            raise Conflict("warehouse.columns_moved", dataset=candidate.dataset)
        return moved

    def renew(self, candidate: Candidate, duration: timedelta) -> None:
        """Hold the candidate's partition for ``duration`` from now."""
        with self.catalog.database.transaction() as connection:
            leases.renew(connection, candidate.branch, candidate.run_id, duration)

    def occupy(self, candidate: Candidate, partitions: Iterable[str]) -> None:
        """Take the leases of further partitions for a candidate, under names that no branch has."""
        with self.catalog.database.transaction() as connection:
            for partition in sorted(partitions):
                name = branch_name(candidate.dataset, partition, candidate.run_id, candidate.attempt)
                leases.take(connection, name, candidate.dataset, candidate.run_id, self.lease)

    def vacate(self, run_id: str, connection: Connection) -> None:
        """End all leases of a run."""
        for lease in [*leases.held(connection)]:
            if lease.holder == run_id:
                leases.drop(connection, lease.branch)

    def hold(self, run_id: str) -> int:
        """Hold all partitions that a run works on for another lease; how many there are."""
        with self.catalog.database.transaction() as connection:
            return leases.renew_all(connection, run_id, self.lease)

    def give_back(self, candidate: Candidate | Branch) -> None:
        """End the candidate's lease now, and keep its branch."""
        holder = candidate.run_id if isinstance(candidate, Candidate) else candidate.holder
        with self.catalog.database.transaction() as connection:
            leases.give_back(connection, candidate.branch, holder or "-")

    def give_up(self, run_id: str) -> None:
        """Hold nothing of a run any more that could not give it back."""
        leases.give_up(run_id)

    def drop(self, dataset: str, branch: str, *, seen: leases.Lease | None = None) -> bool:
        """Delete a branch, its lease, and what only it held.

        With ``seen``, only if its lease still is as it was seen; whether it was.
        """
        stale: list[str] = []
        computed: list[str] = []

        def build(draft: Draft) -> None:
            computed[:] = kept.computed_files(draft.metadata, branch)
            stale[:] = _forget(draft, branch)

        def forget_lease(connection: Connection) -> None:
            if seen is None:
                leases.drop(connection, branch)
            elif not leases.drop_unchanged(connection, seen):
                raise _StillHeld

        try:
            self.catalog.commit(dataset, build, within=forget_lease)
        except _StillHeld:
            return False
        self._delete(stale)
        self.catalog.objects.delete(computed)
        return True

    def all(self) -> list[Branch]:
        """Every branch beside ``main``, with the state of its lease."""
        with self.catalog.database.reading() as connection:
            now = leases.clock(connection)
            held = {lease.branch: lease for lease in leases.held(connection)}
        found = []
        for dataset in self.catalog.datasets():
            for name, ref in sorted(self.catalog.open(dataset).metadata.refs.items()):
                if ref.snapshot_ref_type != SnapshotRefType.BRANCH or name == MAIN_BRANCH:
                    continue
                lease = held.get(name)
                state: Literal["live", "expired", "none"] = "none"
                if lease is not None:
                    state = "live" if lease.live(now) else "expired"
                holder, expires = (lease.holder, lease.expires) if lease else (None, None)
                found.append(Branch(dataset, name, ref.snapshot_id, state, holder, expires))
        return found

    def clean_expired(self, grace: timedelta, dataset: str | None) -> list[str]:
        """Delete the candidates (of a dataset) whose lease ended at least ``grace`` ago; their branches' names."""
        with self.catalog.database.reading() as connection:
            now = leases.clock(connection)
            held = [lease for lease in leases.held(connection) if dataset in (None, lease.dataset)]
        over = [lease for lease in held if lease.over_since(now - grace, now)]
        return [lease.branch for lease in over if self.drop(lease.dataset, lease.branch, seen=lease)]

    def clean_abandoned(self) -> list[str]:
        """Delete the candidates whose run is over for certain; their branches' names."""
        with self.catalog.database.reading() as connection:
            abandoned = [lease for lease in leases.held(connection) if lease.abandoned]
        return [lease.branch for lease in abandoned if self.drop(lease.dataset, lease.branch, seen=lease)]

    def _put(self, candidate: Candidate, base: Sequence[FileScanTask], *, keep: frozenset[str]) -> Candidate:
        """Make one snapshot of the candidate's files, directly on its base, the only one of its branch.

        ``base`` are the files of that snapshot, where the candidate takes some of them away.
        Files of the snapshot before it are deleted, but for those to ``keep``.
        """
        stale: list[str] = []
        objects = self.catalog.objects
        removed = self._removed(base, candidate)

        def build(draft: Draft) -> Candidate:
            if draft.head(candidate.branch) is None:
                raise Conflict("warehouse.lease_lost", branch=candidate.branch)
            stale[:] = _reset(draft, candidate.branch, candidate.base)
            snapshot = draft.snapshot(
                candidate.branch,
                candidate.schema_id,
                added=as_iceberg(objects, draft.metadata, candidate.schema_id, candidate.written),
                removed=[task.file for task in removed],
                appends=candidate.update == "append",
                summary={
                    **draft.handed_on(candidate.base),
                    **candidate.marks,
                    "ecluse.run-id": candidate.run_id,
                    "ecluse.partition": candidate.partition or "all",
                },
            )
            put = replace(candidate, snapshot_id=snapshot)
            kept.write_down(draft, put)
            return put

        put = self.catalog.commit(candidate.dataset, build, within=self._still_held(candidate))
        self._delete(stale, keep)
        return put

    def _still_held(self, candidate: Candidate) -> Callable[[Connection], None]:
        """Joins a transaction that is carried out only while the candidate is held."""
        return lambda connection: leases.renew(connection, candidate.branch, candidate.run_id, self.lease)

    def _delete(self, locations: Collection[str], keep: frozenset[str] = frozenset()) -> None:
        """Delete files that nobody needs, but for the paths to ``keep``."""
        paths = [self.catalog.objects.path(location) for location in locations]
        self.catalog.objects.delete(path for path in paths if path not in keep)

    def _removed(self, base: Sequence[FileScanTask], candidate: Candidate) -> list[FileScanTask]:
        """The files of the candidate's base that it takes away."""
        wanted = {file.path for file in candidate.removed}
        found = [task for task in base if self.catalog.objects.path(task.file.file_path) in wanted]
        if len(found) < len(wanted):
            raise Conflict(
                "warehouse.partition_moved", dataset=candidate.dataset, partition=candidate.partition or "all"
            )
        return found


class _StillHeld(Conflict):
    """A lease was renewed between being seen as over and being cleaned up."""

    def __init__(self) -> None:
        super().__init__("warehouse.lease_lost", branch="-")


def _reset(draft: Draft, branch: str, snapshot_id: int) -> list[str]:
    """Let a branch point to a snapshot; the locations of the files that nobody needs then."""
    old = draft.head(branch)
    if old is None or not draft.only_on(branch, old):
        draft.set_branch(branch, snapshot_id)
        return []
    stale = list(added_by(draft.table, old))
    draft.set_branch(branch, snapshot_id)
    draft.drop_snapshot(old)
    return stale


def _forget(draft: Draft, branch: str) -> list[str]:
    """Drop a branch, where there is one; the locations of the files that nobody needs then."""
    old = draft.head(branch)
    if old is None:
        return []
    only = draft.only_on(branch, old)
    stale = list(added_by(draft.table, old)) if only else []
    draft.drop_ref(branch)
    kept.forget(draft, branch)
    if only:
        draft.drop_snapshot(old)
    return stale
