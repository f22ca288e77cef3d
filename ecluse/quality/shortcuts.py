"""Cheaper ways to the same answer on large files: proofs from their statistics, and one question for equal values.

Each is exact: the engine's own optimizer draws the proofs, and a value that is asked once counts as often as it occurs.
They pay where rows are many, and are left alone elsewhere.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from ecluse.engine.sql import quote

if TYPE_CHECKING:
    from ecluse.quality.batch import Batch

#: Below this many rows a scan costs less than looking for a way around it.
LARGE = 500_000
#: What a relation of different values calls how often each occurs: no column of data has this name.
COUNT = "_ecluse_n"
#: A column with at most this many different values in a sample is asked by value.
FEW = 1000
#: What costs nothing to read.
_BEGINNING = " LIMIT 10000"


def large(batch: Batch) -> bool:
    """Whether the batch is Parquet files, whose footers know a lot, with many rows."""
    return "read_parquet(" in batch.relation and batch.rows >= LARGE


def never(batch: Batch, condition: str) -> bool:
    """Whether it is known, and cheap to know, that no row of a large batch meets ``condition``."""
    return large(batch) and proven_empty(batch, condition)


def proven_empty(batch: Batch, condition: str) -> bool:
    """Whether the files' statistics alone prove that no row meets ``condition``."""
    plan = batch.once(f"EXPLAIN (FORMAT json) SELECT 1 FROM {batch.relation} WHERE {condition}")[0][1]
    found: list[dict[str, Any]] = json.loads(plan)
    return len(found) == 1 and found[0].get("name") == "EMPTY_RESULT"


def frequencies(batch: Batch, column: str) -> str | None:
    """A relation of the few values of a text ``column`` and how often each occurs (``COUNT``), or ``None``."""
    if batch.kind(column) != "text":
        return None
    name = quote(column)
    if many(batch, name, f"SELECT {name} FROM {batch.relation}"):
        return None
    found = batch.once(f"SELECT {name}, count(*) FROM {batch.relation} GROUP BY {name}")
    return _table(batch, column, found)


def many(batch: Batch, name: str, rows: str) -> bool:
    """Whether the column ``name`` of the query ``rows`` has, as far as samples tell, more than a few values."""
    # The beginning costs nothing to read; where much follows, a sample of it tells whether it speaks for the rest.
    parts = [f"{rows}{_BEGINNING}", *([f"{rows} USING SAMPLE 1% (system, 1)"] if large(batch) else [])]
    return any(batch.once(f"SELECT approx_count_distinct({name}) FROM ({part})")[0][0] > FEW for part in parts)


def _table(batch: Batch, column: str, rows: list[tuple[Any, ...]]) -> str:
    import pyarrow as pa

    table = quote(f"ecluse_frequencies_{uuid.uuid4().hex}")
    given = pa.table(
        {column: pa.array([r[0] for r in rows], pa.string()), COUNT: pa.array([r[1] for r in rows], pa.int64())}
    )
    with batch.engine.registered(given) as view:
        batch.engine.run(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM {view}")
    return table


def may_rise(batch: Batch, keys: tuple[str, ...], asked: str) -> bool:
    """Whether the beginning of a large batch leaves it open that order proves its keys to be unique."""
    return large(batch) and any(_rises(batch, way, asked, _BEGINNING) for way in _ways(keys))


def rising(batch: Batch, keys: tuple[str, ...], asked: str) -> bool:
    """Whether order proves the keys of a large batch to be unique: they rise together, or one of them does alone."""
    return large(batch) and any(
        all(_rises(batch, way, asked, part) for part in (_BEGINNING, "")) for way in _ways(keys)
    )


def _ways(keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [keys, *((key,) for key in keys if len(keys) > 1)]


def _rises(batch: Batch, keys: tuple[str, ...], asked: str, part: str) -> bool:
    """Whether keys rise strictly from row to row, in all rows or in a ``part`` of them."""
    listed = ", ".join(f"{key} AS k{i}" for i, key in enumerate(keys))
    before = ", ".join(f"lag(k{i}) OVER () AS b{i}" for i in range(len(keys)))
    order = "false"
    for i in reversed(range(len(keys))):
        order = f"(k{i} > b{i} OR (k{i} = b{i} AND {order}))"
    rows = f"SELECT {listed} FROM {batch.relation} WHERE {asked}{part}"
    # The first row follows nothing; nor does a row with or after a missing key, so that nothing is proven then.
    sql = f"SELECT count(*) FROM (SELECT *, {before} FROM ({rows})) WHERE NOT coalesce({order}, false)"
    return bool(batch.once(sql)[0][0] <= 1)
