"""What tells rows apart: single columns, small compounds of columns, and whether whole rows repeat."""

from __future__ import annotations

import math
from itertools import combinations

from ecluse.engine.sql import quote
from ecluse.quality.profiling.draft import Draft, Table

#: Pairs are looked for among so many columns, and one is added to so many of them; so many that the rows looked at
#: don't refute are asked of all.
_COLUMNS, _NEAREST, _ASKED = 12, 5, 3
#: Two columns that are nearly unique are unique together by chance. So many repeats must be missing for it to say more.
_MISSED = 5.0
_KEY_WORDS = frozenset({"id", "key", "code", "uuid", "no", "number", "ref", "nr"})
#: Up to this many rows, those that repeat are counted one by one; above, by their hashes.
_COMPARED = 5_000_000


def keys(table: Table) -> None:
    """Confirm the columns that may be unique, and look for compounds where no filled column is."""
    asked = [c for c in table.columns if c.candidate and c.few is None and c.kind != "float"]
    for column in table.each("grouping", asked):
        column.attempt("distinct", lambda column=column: _confirm(table, column))  # type: ignore[misc]
    singles = [
        c for c in table.columns if c.found.get("unique") and _is_filled(table, c) and c.kind not in ("float", "bool")
    ]
    table.keys = [(column.name,) for column in sorted(singles, key=_fitness)] if table.rows > 1 else []
    if not table.keys:
        table.keys = _compounds(table)


def _confirm(table: Table, column: Draft) -> None:
    present = column.found.get("present")
    if str(column.found.get("order", "")).startswith("strictly"):
        distinct, repeated = present, 0
    else:
        distinct, repeated = table.plan.groups((column.value,), column.present)()
    column.found |= {"distinct": distinct, "distinct_exact": True, "unique": not repeated and bool(present)}


def _is_filled(table: Table, column: Draft) -> bool:
    return bool(table.rows) and column.found.get("present") == table.rows


def _fitness(column: Draft) -> tuple[bool, bool]:
    """What makes a better key: a name that says so, and values that aren't times."""
    return not _named(column), column.kind not in ("integer", "text", "other")


def _named(column: Draft) -> bool:
    """Whether a column is called as keys are."""
    words = column.name.lower().replace("-", "_").split("_")
    return bool(_KEY_WORDS & set(words)) or column.name.endswith(("Id", "ID"))


def _compounds(table: Table) -> list[tuple[str, ...]]:
    """Two or three filled columns that are unique together, though each repeats so much that this is no chance."""
    columns = [c for c in table.columns if _part(table, c) and c.found["distinct"] > 1]
    columns.sort(key=lambda c: (not _named(c), -c.found["distinct"]))
    pairs: list[tuple[Draft, ...]] = [some for some in combinations(columns[:_COLUMNS], 2) if _surprising(table, some)]
    looked = {some: _groups(table, some) for some in pairs}
    if found := _confirmed(table, looked):
        return found
    # The pairs that come nearest to it, each with one column more.
    nearest = sorted(pairs, key=lambda some: -looked[some])[:_NEAREST]
    threes = {
        frozenset(c.name for c in (*some, more)): (*some, more)
        for some in nearest
        for more in columns
        if more not in some
    }
    return _confirmed(table, {some: _groups(table, some) for some in threes.values() if _surprising(table, some)})


def _part(table: Table, column: Draft) -> bool:
    return _is_filled(table, column) and column.kind not in ("float", "bool", "other")


def _surprising(table: Table, columns: tuple[Draft, ...]) -> bool:
    """Whether rows would share their values by chance, were they unrelated."""
    return bool(table.rows**2 / (2 * math.prod(c.found["distinct"] for c in columns)) >= _MISSED)


def _groups(table: Table, columns: tuple[Draft, ...]) -> int:
    """How many different values columns have together, in the rows looked at."""
    listed = ", ".join(column.value for column in columns)
    return int(table.batch.engine.scalar(f"SELECT count(*) FROM (SELECT 1 FROM {table.sample} GROUP BY {listed})"))


def _confirmed(table: Table, looked: dict[tuple[Draft, ...], int]) -> list[tuple[str, ...]]:
    """Those that are unique in the rows looked at and, of these the first few, in all rows."""
    likely = [some for some, groups in looked.items() if groups == table.looked_at][:_ASKED]
    kept = [some for some in likely if table.whole or not _repeats(table, some)]
    return [tuple(column.name for column in some) for some in kept]


def _repeats(table: Table, columns: tuple[Draft, ...]) -> int:
    return table.plan.groups(tuple(column.value for column in columns), "true")()[1]


def duplicates(table: Table) -> None:
    """How many rows are the same as another one; a key proves that there are none."""
    if table.keys or not table.rows:
        table.duplicates = 0
        return
    table.tell("grouping", 0)
    relation, listed = table.batch.relation, ", ".join(quote(name) for name in table.batch.types)
    engine = table.batch.engine
    hashes = f"SELECT count(DISTINCT h) FROM (SELECT hash({listed}) AS h FROM {relation})"
    table.duplicates = table.rows - int(engine.scalar(hashes))
    if table.duplicates and table.rows <= _COMPARED:
        table.duplicates = table.rows - _different(table, listed)
    elif table.duplicates:
        # NOTE: equal hashes prove nothing; that all differ does.
        table.duplicates_exact = False


def _different(table: Table, listed: str) -> int:
    """How many different rows there are."""
    groups = f"SELECT 1 FROM {table.batch.relation} GROUP BY {listed}"
    return int(table.batch.engine.scalar(f"SELECT count(*) FROM ({groups})"))
