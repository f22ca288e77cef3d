"""The columns of a release with their classification: the contract's, or a stricter one since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ecluse.errors import NotComputed
from ecluse.model.contract import Classification, Column
from ecluse.model.facts import SignedFact
from ecluse.model.release import TableVersion

_STRICTNESS = tuple(Classification)


def released_columns(product: TableVersion, facts: Sequence[SignedFact]) -> tuple[Column, ...]:
    """The columns that the contract of this release lists, each as strictly classified as it ever was since.

    A column that was found to be personal after the release is personal in the release too. ``NotComputed`` where
    the log doesn't hold the contract.
    """
    published = [f.fact.predicate for f in facts if f.fact.kind == "publication"]
    own = [p for p in published if p.get("dataset") == product.dataset]
    first = next((i for i, p in enumerate(own) if p.get("contract_digest") == product.contract_digest), None)
    if first is None:
        raise NotComputed("door.no_contract", dataset=product.dataset)
    columns = {c["name"]: c for c in _columns(own[first])}
    for publication in own[first:]:
        for column in _columns(publication):
            if column["name"] in columns:
                columns[column["name"]] = max(columns[column["name"]], column, key=_strictness)
    return tuple(Column(c["name"], c["type"], classification=_STRICTNESS[_strictness(c)]) for c in columns.values())


def _columns(publication: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [c for c in publication.get("columns", []) if not c["name"].startswith("_")]


def _strictness(column: dict[str, Any]) -> int:
    return [c.value for c in _STRICTNESS].index(column["classification"])
