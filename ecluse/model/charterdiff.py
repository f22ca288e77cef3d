"""What two versions of a charter differ in, entry by entry, and which gates became others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ecluse.model.canonical import plain
from ecluse.model.charter import Charter

#: The entries of a charter that are lists, and the field by which an entry is known.
_LISTS = {"gates": "phase", **dict.fromkeys(("purposes", "kpis", "parties", "risks", "rules", "trainings"), "id")}


@dataclass(frozen=True)
class Change:
    """One entry that differs: ``entry`` (``parties``), which one (``p-4f8a21``), and for a change its fields."""

    entry: str
    name: str
    what: Literal["added", "removed", "changed"]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class CharterDiff:
    """All changes, and the phases whose gate became another: approvals given for the old gate don't count there."""

    changes: tuple[Change, ...]
    gates: tuple[str, ...]


def charter_diff(before: Charter, after: Charter) -> CharterDiff:
    """What changed from ``before`` to ``after``.

    A gate is another one when what an approval binds is: the gate itself, how its KPIs are measured, or any purpose.
    """
    old, new = plain(before), plain(after)
    changes: list[Change] = []
    for entry in sorted({*old, *new}):
        one, other = old.get(entry), new.get(entry)
        if one == other:
            continue
        if entry in _LISTS or entry == "grants":
            changes += _entries(entry, _named(entry, one), _named(entry, other))
        else:
            same = isinstance(one, dict) and isinstance(other, dict)
            changes.append(Change(entry, "", "changed", tuple(f for f in one if one[f] != other[f]) if same else ()))
    phases = dict.fromkeys((*before.phases, *after.phases))
    return CharterDiff(tuple(changes), tuple(p for p in phases if before.gate_digest(p) != after.gate_digest(p)))


def _named(entry: str, items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if entry != "grants":
        return {str(item[_LISTS[entry]]): item for item in items}
    found: dict[str, dict[str, Any]] = {}
    known: Counter[str] = Counter()
    for grant in items:
        # NOTE: a grant has no id; it is what it gives to whom of what, and several may give the same in two ways.
        name = f"{grant['role']}: {', '.join(grant['datasets'])} ({', '.join(grant['purposes'])})"
        known[name] += 1
        found[name if known[name] == 1 else f"{name} #{known[name]}"] = grant
    return found


def _entries(entry: str, one: Mapping[str, dict[str, Any]], other: Mapping[str, dict[str, Any]]) -> list[Change]:
    found = [Change(entry, name, "removed") for name in one if name not in other]
    found += [Change(entry, name, "added") for name in other if name not in one]
    for name in one:
        if name in other and one[name] != other[name]:
            fields = tuple(f for f in one[name] if one[name][f] != other[name].get(f))
            found.append(Change(entry, name, "changed", fields))
    return found
