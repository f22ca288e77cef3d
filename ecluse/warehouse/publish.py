"""The one move: several tables, their tags, leases and file hashes change together on the caller's connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyiceberg.table.refs import MAIN_BRANCH
from sqlalchemy import Connection, insert

from ecluse.errors import Conflict
from ecluse.store.schema import data_files
from ecluse.warehouse import kept, leases
from ecluse.warehouse.border import border
from ecluse.warehouse.candidate import Candidate
from ecluse.warehouse.catalog import Catalog, Move
from ecluse.warehouse.draft import Draft
from ecluse.warehouse.schema import PUBLISHED, published_id


@dataclass(frozen=True)
class Prepared:
    """Metadata files that are written and not yet pointed to; ``apply`` makes them the tables' present."""

    catalog: Catalog
    steps: tuple[tuple[Candidate, str | None, Move], ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What will be published."""
        return tuple(candidate for candidate, _, _ in self.steps)

    def apply(self, connection: Connection) -> None:
        """Move ``main`` of every table, inside the transaction of ``connection``.

        ``Conflict`` where ``main`` is no longer where a candidate began, or its lease was lost; the caller's
        transaction is then rolled back and nothing has moved.
        """
        leases.come_first(connection)
        for candidate, tag, move in self.steps:
            with border(candidate.dataset):
                self._apply(connection, candidate, tag, move)

    def _apply(self, connection: Connection, candidate: Candidate, tag: str | None, move: Move) -> None:
        if not leases.holds(connection, candidate.branch, candidate.run_id):
            raise Conflict("warehouse.lease_lost", branch=candidate.branch)
        if self.catalog.lock(connection, candidate.dataset) == move.before:
            self.catalog.move(connection, move)
        else:
            # NOTE: the work on another partition touched the table since. Now nobody else can, so this can't repeat.
            self.catalog.change(connection, candidate.dataset, lambda draft: _publish(draft, candidate, tag))
        leases.drop(connection, candidate.branch)
        if candidate.written:
            rows = [
                {
                    "path": file.path,
                    "dataset": candidate.dataset,
                    "partition": file.partition,
                    "sha256": file.sha256,
                    "rows": file.rows,
                    "bytes": file.bytes,
                }
                for file in candidate.written
            ]
            connection.execute(insert(data_files), rows)


def prepare(catalog: Catalog, candidates: Sequence[Candidate], tags: Mapping[str, str]) -> Prepared:
    """Write what the tables' next metadata would be, tables in the order of their names (so that none can deadlock)."""
    ordered = sorted(candidates, key=lambda candidate: candidate.dataset)
    if len({candidate.dataset for candidate in ordered}) < len(ordered):
        raise ValueError("one candidate of a dataset can be published at a time")
    steps = []
    for candidate in ordered:
        tag = tags.get(candidate.dataset)
        with border(candidate.dataset):
            draft = Draft(catalog.open(candidate.dataset))
            _publish(draft, candidate, tag)
            move = catalog.stage(draft)
        assert move is not None, "publishing always changes a table"
        steps.append((candidate, tag, move))
    return Prepared(catalog, tuple(steps))


def put_tag(draft: Draft, dataset: str, tag: str, snapshot_id: int) -> None:
    """Tag a snapshot; ``Conflict`` where the tag stands on another one. PyIceberg itself would move it silently."""
    found = draft.head(tag)
    if found is None:
        draft.set_tag(tag, snapshot_id)
    elif found != snapshot_id:
        raise Conflict("warehouse.tag", dataset=dataset, tag=tag, snapshot=found)


def _publish(draft: Draft, candidate: Candidate, tag: str | None) -> None:
    if candidate.snapshot_id is None:
        raise ValueError(f"nothing was written to {candidate.branch}")
    if draft.head(candidate.branch) != candidate.snapshot_id:
        raise Conflict("warehouse.lease_lost", branch=candidate.branch)
    schemas = (candidate.base_schema_id, candidate.schema_id)
    # NOTE: another engine may change the columns of main without making a snapshot.
    if draft.main != candidate.base or draft.metadata.current_schema_id not in schemas:
        raise Conflict("warehouse.moved", dataset=candidate.dataset)
    draft.set_current_schema(candidate.schema_id)
    draft.set_properties({PUBLISHED: str(published_id(draft.metadata))})
    draft.set_branch(MAIN_BRANCH, candidate.snapshot_id)
    draft.drop_ref(candidate.branch)
    kept.forget(draft, candidate.branch)
    if tag is not None:
        put_tag(draft, candidate.dataset, tag, candidate.snapshot_id)
