"""Values that rise or fall from row to row, and pairs of columns of which one is never above the other."""

from __future__ import annotations

from itertools import permutations

from ecluse.quality.profiling.draft import NUMBERS, TIMES, Draft, Table

#: Pairs are looked for among so many columns of a kind at most, and told where so many rows hold both.
_COLUMNS, _LEAST_ROWS = 12, 20
#: Two numbers whose ranges hardly meet are in order anyway, which says nothing.
_OVERLAP = 0.3


def order(table: Table) -> None:
    """Which filled columns rise or fall from row to row: those that do so in the rows looked at are asked of all."""
    sortable = [c for c in table.columns if c.kind in (*NUMBERS, *TIMES, "text")]
    likely = _monotonic(table, table.sample, sortable) if table.looked_at > 1 and sortable else {}
    asked = [column for column in sortable if column.name in likely]
    if not asked:
        return
    table.tell("scanning", 0)
    found = likely if table.whole else _monotonic(table, table.batch.relation, asked)
    for column in asked:
        if (way := found.get(column.name)) is not None:
            column.found["order"] = way


def _monotonic(table: Table, relation: str, columns: list[Draft]) -> dict[str, str]:
    """The columns without a gap whose values only rise, or only fall, by name."""
    values = ", ".join(f"{c.value} AS v{i}, lag({c.value}) OVER () AS b{i}" for i, c in enumerate(columns))
    counted = ", ".join(
        f"count(v{i}), count(*) FILTER (WHERE v{i} > b{i}), count(*) FILTER (WHERE v{i} < b{i})"
        for i in range(len(columns))
    )
    rows, *found = table.batch.engine.row(f"SELECT count(*), {counted} FROM (SELECT {values} FROM {relation})")
    ways = {}
    for column, (present, up, down) in zip(
        columns, zip(found[::3], found[1::3], found[2::3], strict=True), strict=True
    ):
        if present < rows or bool(up) == bool(down):
            continue
        strictly = "strictly_" if up + down == rows - 1 else ""
        ways[column.name] = f"{strictly}{'increasing' if up else 'decreasing'}"
    return ways


def pairs(table: Table) -> None:
    """Pairs that the rows looked at don't refute; the scan then asks all rows."""
    for kinds in (NUMBERS, ("date",), ("timestamp",), ("timestamptz",)):
        columns = [c for c in table.columns if c.kind in kinds and c.told()][:_COLUMNS]
        if len(columns) < 2:
            continue
        couples = list(permutations(columns, 2))
        counted = ", ".join(_counts(a, b) for a, b in couples)
        row = table.batch.engine.row(f"SELECT {counted} FROM {table.sample}")
        for (a, b), (both, above, below, reach, common) in zip(
            couples, zip(*[iter(row)] * 5, strict=True), strict=True
        ):
            if both >= _LEAST_ROWS and not above and below and (kinds is not NUMBERS or _meet(reach, common)):
                table.likely_pairs.append((a, b))


def _counts(a: Draft, b: Draft) -> str:
    """How many rows hold both, are above, are below; of numbers also how far both ranges reach, and what they share."""
    both = f"{a.present} AND {b.present}"
    counts = [
        f"count(*) FILTER (WHERE {both}{more})"
        for more in ("", f" AND {a.value} > {b.value}", f" AND {a.value} < {b.value}")
    ]
    if a.kind not in NUMBERS:
        return ", ".join([*counts, "NULL", "NULL"])
    x, y = f"{a.value}::DOUBLE", f"{b.value}::DOUBLE"
    low, high = f"least(min({x}), min({y}))", f"greatest(max({x}), max({y}))"
    return ", ".join([*counts, f"{high} - {low}", f"least(max({x}), max({y})) - greatest(min({x}), min({y}))"])


def _meet(reach: float | None, common: float | None) -> bool:
    return bool(reach and common is not None and common >= _OVERLAP * reach)
