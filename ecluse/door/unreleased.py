"""What is published now, in the form of a release that nobody made."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.door.records import Records
from ecluse.model.release import Manifest, TableVersion
from ecluse.warehouse import Warehouse

#: The version of what has none.
VERSION = "unreleased"


def published(records: Records, warehouse: Warehouse, datasets: Sequence[str]) -> Manifest | None:
    """The newest published versions of these datasets; ``None`` where one of them has none."""
    products = [_table(records, warehouse, dataset) for dataset in datasets]
    whole = tuple(product for product in products if product is not None)
    if len(whole) < len(products):
        return None
    return Manifest(VERSION, whole, (), "", records.project.name, records.project.environment)


def _table(records: Records, warehouse: Warehouse, dataset: str) -> TableVersion | None:
    snapshot = warehouse.head(dataset) if warehouse.exists(dataset) else None
    said = [f.fact.predicate for f in records.facts if f.fact.kind == "publication"]
    own = [p for p in said if p.get("dataset") == dataset and p.get("contract_digest")]
    if snapshot is None or not own:
        return None
    return TableVersion(
        dataset=dataset,
        table_uuid=warehouse.table_uuid(dataset),
        snapshot_id=snapshot,
        files=warehouse.files(dataset, snapshot),
        contract_digest=str(own[-1]["contract_digest"]),
        suite_digest=str(own[-1].get("suite_digest") or ""),
    )
