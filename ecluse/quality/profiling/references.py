"""Candidate foreign keys: columns whose values are nearly all values of another table's key."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecluse.quality.batch import FAMILIES
from ecluse.quality.profiling.draft import Draft, Table
from ecluse.quality.profiling.found import Reference

#: A reference is told where this share of the different values is found, and there are so many values at least.
_SHARE, _LEAST_VALUES = 0.8, 2


def references(tables: Sequence[Table]) -> tuple[Reference, ...]:
    """The candidates between the tables, those that hold best first."""
    found = []
    for source in tables:
        for column in source.columns:
            for target in tables:
                if target is not source:
                    found += _into(source, column, target)
    return tuple(sorted(found, key=lambda r: (-r.share, r.table, r.column, r.to_table, r.to_column)))


def _into(source: Table, column: Draft, target: Table) -> list[Reference]:
    found = []
    for (name,) in (key for key in target.keys if len(key) == 1):
        key = target.draft(name)
        if _comparable(column, key) and _speaks(column, key, target) and _looks(source, column, target, key):
            distinct, matched = _counted(source, column, target, key)
            if distinct >= _LEAST_VALUES and matched >= _SHARE * distinct:
                found.append(Reference(source.name, column.name, target.name, name, distinct, matched))
    return found


def _comparable(column: Draft, key: Draft) -> bool:
    if column.kind in ("float", "bool", "other") or key.kind in ("float", "other"):
        return False
    return FAMILIES.get(column.kind, column.kind) == FAMILIES.get(key.kind, key.kind)  # type: ignore[call-overload, no-any-return]


def _speaks(column: Draft, key: Draft, target: Table) -> bool:
    """Whether an inclusion would say something: small numbers lie in any dense range, unless the names agree."""
    if column.kind == "text":
        return True
    words, table = _words(column.name), _words(target.name)
    return column.name.lower() == key.name.lower() or bool((words - {"id", "key", "no"}) & (table | _words(key.name)))


def _words(name: str) -> set[str]:
    """The words of a name, without the plural's s."""
    return {word.lower().removesuffix("s") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def _looks(source: Table, column: Draft, target: Table, key: Draft) -> bool:
    """Whether the rows looked at don't refute it."""
    if source.whole:
        return True
    distinct, matched = _included(source, column, source.sample, target, key)
    return bool(distinct) and matched >= _SHARE * distinct


def _counted(source: Table, column: Draft, target: Table, key: Draft) -> tuple[int, int]:
    return _included(source, column, source.batch.relation, target, key)


def _included(source: Table, column: Draft, relation: str, target: Table, key: Draft) -> tuple[int, int]:
    """How many different values a column has, and how many of them are among the key's."""
    values = f"SELECT DISTINCT {column.value} AS v FROM {relation} WHERE {column.present}"
    held = f"SELECT {key.value} FROM {target.batch.relation} WHERE {key.present}"
    distinct, matched = source.batch.engine.row(
        f"SELECT count(*), count(*) FILTER (WHERE v IN ({held})) FROM ({values})"
    )
    return int(distinct), int(matched)
