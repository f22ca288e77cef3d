"""What differs between two versions of a dataset: columns, and rows by the contract's key; counts, never values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecluse.engine import Engine, quote
from ecluse.errors import NotComputed
from ecluse.model.release import TableVersion
from ecluse.step.border import computing
from ecluse.warehouse import Warehouse

_ONE, _OTHER, _THERE = "one", "other", "_there"


@dataclass(frozen=True)
class Difference:
    """Two versions of a dataset compared. ``key`` is empty where whole rows were compared: then none is ``changed``.

    ``columns_changed`` maps a column to the number of rows, there before and after, in which it differs. Columns stand
    under their names of ``after``; ``columns_renamed`` maps such a name to what it was before.
    """

    dataset: str
    key: tuple[str, ...]
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    columns_added: Mapping[str, str] = field(default_factory=dict)
    columns_removed: Mapping[str, str] = field(default_factory=dict)
    columns_renamed: Mapping[str, str] = field(default_factory=dict)
    types_changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    columns_changed: Mapping[str, int] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether both hold the same rows under the same columns."""
        rows = self.added or self.removed or self.changed
        columns = self.columns_added or self.columns_removed or self.columns_renamed or self.types_changed
        return not (rows or columns)


def diff_versions(
    engine: Engine, warehouse: Warehouse, before: TableVersion, after: TableVersion, key: Sequence[str]
) -> Difference:
    """Compare two versions of one dataset; data files that both hold are not read.

    ``key`` names columns that are together unique; without one, whole rows are counted as added or removed.
    ``NotComputed`` where the key repeats. Columns that begin with an underscore are Écluse's own and left out.
    """
    dataset = after.dataset
    ones, others = (_columns(warehouse, version) for version in (before, after))
    one, other = warehouse.scan_unshared(dataset, before.snapshot_id, after.snapshot_id)
    pairs = warehouse.paired(dataset, before.snapshot_id, after.snapshot_id)
    both = [name for name in others if pairs.get(name) in ones]
    if renamed := {name: pairs[name] for name in both if pairs[name] != name}:
        one = _under_new_names(one, {name: pairs[name] for name in both})
    key = tuple(key) if set(key) <= set(both) else ()
    with computing("step.diff", dataset=dataset):
        if key:
            counts = _by_key(engine, dataset, one, other, key, [name for name in both if name not in key])
        else:
            counts = _whole(engine, one, other, both)
    added, removed, changed, columns = counts
    return Difference(
        dataset=dataset,
        key=key,
        rows_before=before.rows,
        rows_after=after.rows,
        added=added,
        removed=removed,
        changed=changed,
        columns_added={name: kind for name, kind in others.items() if name not in both},
        columns_removed={name: kind for name, kind in ones.items() if name not in {pairs[n] for n in both}},
        columns_renamed=renamed,
        types_changed={n: (ones[pairs[n]], others[n]) for n in both if ones[pairs[n]] != others[n]},
        columns_changed={name: count for name, count in columns.items() if count},
    )


def _under_new_names(source: str, pairs: Mapping[str, str]) -> str:
    names = ", ".join(f"{quote(before)} AS {quote(name)}" for name, before in pairs.items())
    return f"(SELECT {names} FROM {source})"


def _columns(warehouse: Warehouse, version: TableVersion) -> dict[str, str]:
    found = warehouse.columns(version.dataset, version.snapshot_id)
    return {name: kind for name, kind in found.items() if not name.startswith("_")}


def _by_key(
    engine: Engine, dataset: str, one: str, other: str, key: Sequence[str], columns: Sequence[str]
) -> tuple[int, int, int, dict[str, int]]:
    """Rows added, removed and changed, and how often each column changed, in one join."""
    names = ", ".join(quote(name) for name in (*key, *columns))
    same = " AND ".join(f"{_ONE}.{quote(k)} IS NOT DISTINCT FROM {_OTHER}.{quote(k)}" for k in key)
    differs = [f"{_ONE}.{quote(c)} IS DISTINCT FROM {_OTHER}.{quote(c)}" for c in columns]
    either = f"({' OR '.join(differs)})" if differs else "false"
    paired = f"{_ONE}.{_THERE} AND {_OTHER}.{_THERE}"
    counted = [f"{_ONE}.{_THERE} IS NULL", f"{_OTHER}.{_THERE} IS NULL", paired, f"{paired} AND {either}"]
    counted += [f"{paired} AND {differ}" for differ in differs]
    counts = engine.row(
        f"SELECT {', '.join(f'count(*) FILTER ({count})' for count in counted)} "
        f"FROM (SELECT {names}, true AS {_THERE} FROM {one}) AS {_ONE} "
        f"FULL JOIN (SELECT {names}, true AS {_THERE} FROM {other}) AS {_OTHER} ON {same}"
    )
    added, removed, pairs, changed, *by_column = (int(count) for count in counts)
    sizes = [int(engine.scalar(f"SELECT count(*) FROM {source}")) for source in (one, other)]
    # NOTE: a key that repeats pairs some rows more than once, and every count would be wrong.
    if [removed + pairs, added + pairs] != sizes:
        raise NotComputed("step.diff_key", dataset=dataset, key=", ".join(key))
    return added, removed, changed, dict(zip(columns, by_column, strict=True))


def _whole(engine: Engine, one: str, other: str, columns: Sequence[str]) -> tuple[int, int, int, dict[str, int]]:
    """Rows added and removed, each as often as it is there more often than on the other side."""
    if not columns:
        sizes = [int(engine.scalar(f"SELECT count(*) FROM {source}")) for source in (one, other)]
        return sizes[1], sizes[0], 0, {}
    names = ", ".join(quote(name) for name in columns)
    added, removed = engine.row(
        "SELECT coalesce(sum(n) FILTER (n > 0), 0), coalesce(-sum(n) FILTER (n < 0), 0) FROM ("
        f"SELECT sum(n) AS n FROM (SELECT {names}, 1 AS n FROM {other} UNION ALL SELECT {names}, -1 FROM {one}) "
        f"GROUP BY {names})"
    )
    return int(added), int(removed), 0, {}
