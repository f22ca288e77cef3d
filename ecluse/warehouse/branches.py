"""Candidates on their branches: begun under a lease, written as one snapshot, rebased, dropped without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from sqlalchemy import Connection

from ecluse.engine import Engine
from ecluse.errors import Conflict
from ecluse.model.names import branch_name
from ecluse.model.release import DataFile
from ecluse.model.step import Update
from ecluse.warehouse import leases
from ecluse.warehouse.candidate import Branch, Candidate
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.draft import Draft
from ecluse.warehouse.files import added_by, as_iceberg, delete_files, write_files
from ecluse.warehouse.inventory import described, of_partition
from ecluse.warehouse.io import local_path
from ecluse.warehouse.layout import new_folder
from ecluse.warehouse.read import tasks_of
from ecluse.warehouse.schema import evolved_schema, first_schema, wanted_types, without_metrics


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
    ) -> Candidate:
        """A candidate on a branch of its own, with lease and schema, in one transaction."""
        branch = branch_name(dataset, partition, run_id, attempt)
        types = wanted_types(dataset, columns)
        replaced: list[str] = []
        stale: list[Path] = []

        def take(connection: Connection) -> None:
            replaced[:] = leases.take(connection, branch, dataset, run_id, self.lease)

        def build(draft: Draft) -> Candidate:
            if draft.main is None:
                draft.root()
            base, base_schema = draft.main, draft.metadata.current_schema_id
            assert base is not None
            schema = evolved_schema(dataset, draft.metadata, types)
            draft.add_schema(schema)
            draft.set_properties(without_metrics(schema, personal))
            stale[:] = _reset(draft, branch, base)
            return Candidate(dataset, partition, branch, base, run_id, attempt, schema.schema_id, base_schema)

        candidate = self.catalog.commit(dataset, build, within=take, first=lambda: first_schema(types))
        delete_files(stale)
        for other in replaced:
            if other != branch:
                self.drop(dataset, other)
        return candidate

    def write(self, engine: Engine, candidate: Candidate, sql: str, update: Update) -> Candidate:
        """The candidate with a query's rows as its only content."""
        self.renew(candidate, self.lease)
        table = self.catalog.open(candidate.dataset)
        schema = table.schemas()[candidate.schema_id]
        folder = new_folder(local_path(table.location()), candidate.partition, candidate.run_id, candidate.attempt)
        files = write_files(engine, candidate.dataset, sql, schema, folder, self.catalog.root)
        try:
            return self._put(replace(candidate, files=files, update=update), keep=frozenset())
        except Conflict:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def rebase(self, candidate: Candidate) -> Candidate:
        """The candidate with the same data files on today's ``main``, where nothing that it replaces changed."""
        self.renew(candidate, self.lease)
        table = self.catalog.open(candidate.dataset)
        main, today = table.metadata.current_snapshot_id, table.metadata.current_schema_id
        assert main is not None, "a table with a candidate has a root snapshot"
        if main == candidate.base:
            return candidate
        if candidate.update == "replace" and self._published(table, main, candidate) != candidate.removed:
            raise Conflict(
                "warehouse.partition_moved", dataset=candidate.dataset, partition=candidate.partition or "all"
            )
        if today not in (candidate.base_schema_id, candidate.schema_id):
            if candidate.schema_id != candidate.base_schema_id:
                raise Conflict("warehouse.columns_moved", dataset=candidate.dataset)
            candidate = replace(candidate, schema_id=today)
        moved = replace(candidate, base=main, base_schema_id=today)
        return self._put(moved, keep=frozenset(self.catalog.root / file.path for file in candidate.files))

    def renew(self, candidate: Candidate, duration: timedelta) -> None:
        """Hold the candidate's partition for ``duration`` from now."""
        with self.catalog.database.transaction() as connection:
            leases.renew(connection, candidate.branch, candidate.run_id, duration)

    def hold(self, run_id: str) -> int:
        """Hold all partitions that a run works on for another lease; how many there are."""
        with self.catalog.database.transaction() as connection:
            return leases.renew_all(connection, run_id, self.lease)

    def drop(self, dataset: str, branch: str, *, expired_before: datetime | None = None) -> bool:
        """Delete a branch, its lease, and what only it held.

        With ``expired_before``, only if its lease ran out by then; whether it did.
        """
        stale: list[Path] = []

        def build(draft: Draft) -> None:
            stale[:] = _forget(draft, branch)

        def forget_lease(connection: Connection) -> None:
            if expired_before is None:
                leases.drop(connection, branch)
            elif not leases.drop_expired(connection, branch, expired_before):
                raise _StillHeld

        try:
            self.catalog.commit(dataset, build, within=forget_lease)
        except _StillHeld:
            return False
        delete_files(stale)
        return True

    def all(self) -> list[Branch]:
        """Every branch beside ``main``, with the state of its lease."""
        now = datetime.now(UTC)
        with self.catalog.database.reading() as connection:
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
        """Delete the candidates (of a dataset) whose lease ran out at least ``grace`` ago; their branches' names."""
        before = datetime.now(UTC) - grace
        with self.catalog.database.reading() as connection:
            held = [lease for lease in leases.held(connection) if dataset in (None, lease.dataset)]
        expired = [lease for lease in held if lease.expires <= before]
        return [e.branch for e in expired if self.drop(e.dataset, e.branch, expired_before=before)]

    def _put(self, candidate: Candidate, *, keep: frozenset[Path]) -> Candidate:
        """Make one snapshot of the candidate's files, directly on its base, the only one of its branch.

        Files of the snapshot before it are deleted, but for those to ``keep``.
        """
        stale: list[Path] = []
        root, database = self.catalog.root, self.catalog.database

        def build(draft: Draft) -> Candidate:
            if draft.head(candidate.branch) is None:
                raise Conflict("warehouse.lease_lost", branch=candidate.branch)
            stale[:] = _reset(draft, candidate.branch, candidate.base)
            removed = []
            if candidate.update == "replace":
                tasks = tasks_of(draft.table, candidate.dataset, candidate.base)
                removed = of_partition(tasks, candidate.partition)
            snapshot = draft.snapshot(
                candidate.branch,
                candidate.schema_id,
                added=as_iceberg(draft.table.io, draft.metadata, candidate.schema_id, root, candidate.files),
                removed=[task.file for task in removed],
                appends=candidate.update == "append",
                summary={"ecluse.run-id": candidate.run_id, "ecluse.partition": candidate.partition or "all"},
            )
            return replace(candidate, snapshot_id=snapshot, removed=described(database, root, removed))

        def still_held(connection: Connection) -> None:
            leases.renew(connection, candidate.branch, candidate.run_id, self.lease)

        put = self.catalog.commit(candidate.dataset, build, within=still_held)
        delete_files(path for path in stale if path not in keep)
        return put

    def _published(self, table: Table, main: int, candidate: Candidate) -> tuple[DataFile, ...]:
        """The files of the candidate's partition on ``main``."""
        tasks = of_partition(tasks_of(table, candidate.dataset, main), candidate.partition)
        return described(self.catalog.database, self.catalog.root, tasks)


class _StillHeld(Conflict):
    """A lease was renewed between being seen as expired and being cleaned up."""

    def __init__(self) -> None:
        super().__init__("warehouse.lease_lost", branch="-")


def _reset(draft: Draft, branch: str, snapshot_id: int) -> list[Path]:
    """Let a branch point to a snapshot; the files that nobody needs then."""
    old = draft.head(branch)
    if old is None or not draft.only_on(branch, old):
        draft.set_branch(branch, snapshot_id)
        return []
    stale = list(added_by(draft.table, old))
    draft.set_branch(branch, snapshot_id)
    draft.drop_snapshot(old)
    return stale


def _forget(draft: Draft, branch: str) -> list[Path]:
    """Drop a branch, where there is one; the files that nobody needs then."""
    old = draft.head(branch)
    if old is None:
        return []
    only = draft.only_on(branch, old)
    stale = list(added_by(draft.table, old)) if only else []
    draft.drop_ref(branch)
    if only:
        draft.drop_snapshot(old)
    return stale
