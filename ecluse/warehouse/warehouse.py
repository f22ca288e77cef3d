"""The warehouse: Iceberg tables whose ``main`` is what is published, with candidates on branches beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import ancestors_of
from sqlalchemy import Connection

from ecluse.engine import Engine
from ecluse.errors import EcluseError, WarehouseError
from ecluse.model.location import S3Location
from ecluse.model.update import Update
from ecluse.store import Database
from ecluse.warehouse.border import border
from ecluse.warehouse.branches import Branches
from ecluse.warehouse.candidate import Branch, Candidate, Change
from ecluse.warehouse.draft import Draft, is_root
from ecluse.warehouse.empty import drop_empty, is_empty
from ecluse.warehouse.expire import expire
from ecluse.warehouse.publish import Prepared, prepare, put_tag
from ecluse.warehouse.read import schema_of
from ecluse.warehouse.snapshots import Snapshots
from ecluse.warehouse.sweep import Orphan, orphans, sweep

_log = logging.getLogger("ecluse.warehouse")


class Warehouse(Snapshots):
    """Iceberg tables under ``root``, in the catalog that the project's ``database`` holds, to be read and changed.

    ``lease`` is how long a candidate is held without being renewed.
    """

    def __init__(
        self, root: Path | S3Location, database: Database, *, lease: timedelta = timedelta(minutes=15)
    ) -> None:
        super().__init__(root, database)
        self._branches = Branches(self._catalog, lease)

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
