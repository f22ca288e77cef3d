"""All failing rows with what each of them broke, and all others: two statements that cover every row exactly once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pyarrow as pa

from ecluse.engine.sql import literal, quote
from ecluse.model.names import BROKE
from ecluse.quality.batch import POSITION, Batch


def split(batch: Batch, broken: Mapping[str, str | list[int]]) -> tuple[str | None, str]:
    """The statements for failing and for passing rows; the first is ``None`` where nothing is broken.

    ``broken`` gives, under each check's name, the rows that break it: SQL over the batch, or positions. Ordinary
    rows keep their order. The statements hold as long as the engine's connection does.
    """
    source, columns = batch.relation, ", ".join(quote(c) for c in batch.types)
    conditions = {}
    for name, rows in broken.items():
        if isinstance(rows, str):
            conditions[name] = f"({rows})"
            if quote(POSITION) in rows:
                source = batch.numbered
        else:
            source = batch.numbered
            conditions[name] = f"({quote(POSITION)} IN (SELECT i FROM {_listed(batch, rows)}))"
    if not conditions:
        return None, f"SELECT {columns} FROM {source}"
    any_broken = " OR ".join(conditions.values())
    cases = ", ".join(f"CASE WHEN {sql} THEN {literal(name)} END" for name, sql in conditions.items())
    broke = f"list_filter([{cases}], lambda name: name IS NOT NULL) AS {quote(BROKE)}"
    return (
        f"SELECT {columns}, {broke} FROM {source} WHERE {any_broken}",
        f"SELECT {columns} FROM {source} WHERE NOT ({any_broken})",
    )


def _listed(batch: Batch, positions: list[int]) -> str:
    """A temporary table of row positions."""
    table = quote(f"ecluse_rows_{uuid.uuid4().hex}")
    with batch.engine.registered(pa.table({"i": pa.array(positions, pa.int64())})) as view:
        batch.engine.run(f"CREATE TEMPORARY TABLE {table} AS SELECT i FROM {view}")
    return table
