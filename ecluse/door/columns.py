"""The columns of a release with their classification: the contract's, or a stricter one since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ecluse.errors import NotComputed
from ecluse.model.contract import Classification, Column
from ecluse.model.facts import SignedFact
from ecluse.model.release import TableVersion

_STRICTNESS = tuple(Classification)


def released_columns(
    product: TableVersion, facts: Sequence[SignedFact], personal: Collection[str] = ()
) -> tuple[Column, ...]:
    """The columns that the contract of this release lists, each as strictly classified as it ever was since.

    A column that was found to be personal after the release is personal in the release too, under whatever name that
    was found. ``personal`` names columns that count as personal whatever their contract says. ``NotComputed`` where the
    log doesn't hold the contract.
    """
    published = [f.fact.predicate for f in facts if f.fact.kind == "publication"]
    own = [p for p in published if p.get("dataset") == product.dataset]
    first = next((i for i, p in enumerate(own) if p.get("contract_digest") == product.contract_digest), None)
    if first is None:
        raise NotComputed("door.no_contract", dataset=product.dataset)
    columns = {c["name"]: c for c in _columns(own[first])}
    for publication in own[first:]:
        for found in _columns(publication):
            for name, column in columns.items():
                if _same(column, found):
                    columns[name] = {**column, "classification": max(column, found, key=_strictness)["classification"]}
    found = {name: _STRICTNESS[_strictness(column)] for name, column in columns.items()}
    for name in found.keys() & set(personal):
        found[name] = max(found[name], Classification.PERSONAL, key=_STRICTNESS.index)
    return tuple(
        Column(c["name"], c["type"], classification=found[name], generalise=_rule(c)) for name, c in columns.items()
    )


def _columns(publication: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [c for c in publication.get("columns", []) if not c["name"].startswith("_")]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two publications speak of one column: by its name, or by the field that keeps its id when renamed."""
    ids = {one.get("field_id"), other.get("field_id")}
    return bool(one["name"] == other["name"] or (len(ids) == 1 and None not in ids))


def _rule(column: dict[str, Any]) -> str | tuple[tuple[str, str], ...] | None:
    rule = column.get("generalise")
    return tuple((fine, coarse) for fine, coarse in rule) if isinstance(rule, list) else rule


def _strictness(column: dict[str, Any]) -> int:
    return [c.value for c in _STRICTNESS].index(column["classification"])
