"""Profiles of what is published, for those who make the dataset; one can be kept as evidence about the files."""

from __future__ import annotations

from dataclasses import dataclass

from ecluse.door.columns import released_columns
from ecluse.ledger import sign
from ecluse.model.contract import Classification
from ecluse.model.release import DataFile, TableVersion
from ecluse.quality.profiling import Relation, TableProfile, counts_of
from ecluse.step.asof import PublishedState, published_state
from ecluse.step.attest import file_subjects, plain_kwargs
from ecluse.step.services import Services


@dataclass(frozen=True)
class Published:
    """A published state that is about to be profiled."""

    state: PublishedState
    files: tuple[DataFile, ...]
    relation: Relation


def published(services: Services, dataset: str) -> Published:
    """What ``dataset`` published, as data to profile; ``NotComputed`` where it published nothing.

    Columns are classified as strictly as they ever were. What the contract doesn't list counts as sensitive.
    """
    warehouse, state = services.warehouse, published_state(services, dataset)
    files = warehouse.files(dataset, state.snapshot_id)
    product = TableVersion(dataset, warehouse.table_uuid(dataset), state.snapshot_id, (), state.contract_digest, "")
    known = {c.name: c.classification for c in released_columns(product, [*services.log.facts("publication")])}
    there = warehouse.columns(dataset, state.snapshot_id)
    hidden = frozenset(name for name in there if name.startswith("_"))
    classified = {name: known.get(name, Classification.SENSITIVE).value for name in there if name not in hidden}
    warehouse.confirm(dataset, files)
    return Published(state, files, Relation(warehouse.scan(dataset, state.snapshot_id), hidden, classified))


def record_profile(services: Services, found: Published, profile: TableProfile) -> None:
    """Sign a profile as evidence about the files: counts, and values of public columns only."""
    fact = services.fact(
        "evidence",
        file_subjects(found.files),
        {
            "about": "profile",
            "dataset": found.state.dataset,
            "snapshot_id": str(found.state.snapshot_id),
            **plain_kwargs(counts_of(profile)),
        },
    )
    envelope = sign(fact, services.signer)
    with services.database.transaction() as connection:
        services.log.append(connection, [envelope])
