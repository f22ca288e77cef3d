"""The semantic version of a release, from what its contract promises now and what the version before it promised.

A *breaking* difference asks readers to change (a new first number), a *compatible* one offers them more (a new second
number), and where the contract is the same only the data is new (a new third number).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ecluse.errors import DefinitionError
from ecluse.model.latest import semantic
from ecluse.model.release import Manifest, TableVersion
from ecluse.step.services import Services
from ecluse.warehouse import widens

FIRST = "1.0.0"
_STRICTER = ("public", "internal", "personal", "sensitive", "unclassified")


class Impact(StrEnum):
    """What a new version means for whoever reads the one before."""

    DATA = "data"
    COMPATIBLE = "compatible"
    BREAKING = "breaking"


#: Every way in which two contracts of a dataset can differ.
IMPACTS: Mapping[str, Impact] = {
    "removed": Impact.BREAKING,
    "renamed": Impact.BREAKING,
    "retyped": Impact.BREAKING,
    "nullable": Impact.BREAKING,
    "unit": Impact.BREAKING,
    "key": Impact.BREAKING,
    "stricter": Impact.BREAKING,
    "added": Impact.COMPATIBLE,
    "widened": Impact.COMPATIBLE,
    "required": Impact.COMPATIBLE,
    "reordered": Impact.COMPATIBLE,
    "opener": Impact.COMPATIBLE,
}


@dataclass(frozen=True)
class Change:
    """One difference: ``kind`` is a key of ``IMPACTS``; ``column`` is named as it is today, or as it was."""

    dataset: str
    kind: str
    column: str
    before: str = ""
    after: str = ""

    @property
    def impact(self) -> Impact:
        """What it means for readers."""
        return IMPACTS[self.kind]


@dataclass(frozen=True)
class NextVersion:
    """The version that a release gets: ``previous`` is the one it is compared with, ``None`` for the first."""

    version: str
    previous: str | None
    impact: Impact
    changes: tuple[Change, ...]


def next_version(services: Services, products: Sequence[TableVersion], wanted: str | None = None) -> NextVersion:
    """The version of a release of these products, computed, or ``wanted``.

    ``DefinitionError`` where ``wanted`` promises less than the contracts' differences mean: a breaking one under a new
    second or third number. A name that is no semantic version (``2024-spring``) is taken as it is.
    """
    names = {product.dataset for product in products}
    earlier = [m for m in _manifests(services) if names & {p.dataset for p in m.products} and semantic(m.version)]
    if wanted is not None and semantic(wanted):
        earlier = [m for m in earlier if semantic(m.version) < semantic(wanted)]
    newest = max(earlier, key=lambda manifest: semantic(manifest.version), default=None)
    if newest is None:
        return NextVersion(wanted or FIRST, None, Impact.DATA, ())
    changes = tuple(
        change
        for product in products
        if any(p.dataset == product.dataset for p in newest.products)
        for change in differences(
            product.dataset, _promised(services, newest.product(product.dataset)), _promised(services, product)
        )
    )
    impact = max((c.impact for c in changes), key=list(Impact).index, default=Impact.DATA)
    least = _after(newest.version, impact)
    if wanted is not None and semantic(wanted) and semantic(wanted) < semantic(least):
        worst = next(c for c in changes if c.impact is impact)
        raise DefinitionError(
            "step.version_too_small",
            version=wanted,
            previous=newest.version,
            least=least,
            column=worst.column,
            dataset=worst.dataset,
            kind=worst.kind,
        )
    return NextVersion(wanted or least, newest.version, impact, changes)


def differences(dataset: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """How the promises of two publications differ, as their facts say; what a fact doesn't say is taken as the same."""
    old, new = ([c for c in said["columns"] if not c["name"].startswith("_")] for said in (before, after))
    pairs = [(one, found) for one in old if (found := _found(one, old, new)) is not None]
    kept, known = [id(one) for one, _ in pairs], [id(found) for _, found in pairs]
    changes = [Change(dataset, "removed", c["name"], before=c["type"]) for c in old if id(c) not in kept]
    changes += [Change(dataset, "added", c["name"], after=c["type"]) for c in new if id(c) not in known]
    for one, found in pairs:
        changes += [Change(dataset, kind, found["name"], *sides) for kind, sides in _column(one, found)]
    renamed = {one["name"]: found["name"] for one, found in pairs}
    if "key" in before and "key" in after and [renamed.get(k, k) for k in before["key"]] != list(after["key"]):
        sides = ", ".join(before["key"]), ", ".join(after["key"])
        changes.append(Change(dataset, "key", sides[1] or sides[0], *sides))
    if known != sorted(known, key=[id(c) for c in new].index):
        changes.append(Change(dataset, "reordered", ", ".join(c["name"] for c in new)))
    return changes


def _column(one: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, tuple[str, str]]]:
    differs = []
    if one["name"] != found["name"]:
        differs.append(("renamed", (one["name"], found["name"])))
    if one["type"] != found["type"] and (kind := widens(one["type"], found["type"])) is not None:
        differs.append(("widened" if kind else "retyped", (one["type"], found["type"])))
    if "nullable" in one and "nullable" in found and one["nullable"] != found["nullable"]:
        differs.append(("nullable" if found["nullable"] else "required", ("", "")))
    if "unit" in one and "unit" in found and one["unit"] != found["unit"]:
        differs.append(("unit", (one["unit"] or "", found["unit"] or "")))
    strict = [_STRICTER.index(c["classification"]) for c in (one, found)]
    if strict[0] != strict[1]:
        way = "stricter" if strict[1] > strict[0] else "opener"
        differs.append((way, (one["classification"], found["classification"])))
    return differs


def _found(
    one: Mapping[str, Any], old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The same column later: the same field, or the same name where neither is another column's field."""
    number = one.get("field_id")
    by_id = [c for c in new if number is not None and c.get("field_id") == number]
    if by_id:
        return by_id[0]
    taken = {c.get("field_id") for c in old} - {None}
    return next((c for c in new if c["name"] == one["name"] and c.get("field_id") not in taken), None)


def _promised(services: Services, product: TableVersion) -> Mapping[str, Any]:
    """What the publication says that a version was published by: its columns and key."""
    said = [f.fact.predicate for f in services.log.facts(kind="publication")]
    own = [p for p in said if p["dataset"] == product.dataset and p["contract_digest"] == product.contract_digest]
    exact = [p for p in own if p["snapshot_id"] == str(product.snapshot_id)]
    return (exact or own or [{"columns": []}])[-1]


def _manifests(services: Services) -> list[Manifest]:
    return [Manifest.from_json(s.fact.predicate["manifest"]) for s in services.log.facts(kind="release")]


def _after(version: str, impact: Impact) -> str:
    first, second, third = semantic(version)
    if impact is Impact.BREAKING:
        return f"{first + 1}.0.0"
    return f"{first}.{second + 1}.0" if impact is Impact.COMPATIBLE else f"{first}.{second}.{third + 1}"
