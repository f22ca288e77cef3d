"""A first look at a table: rows from all over it, in their order, that refute what isn't worth asking of the whole."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from ecluse.engine.sql import literal, quote
from ecluse.quality.batch import Batch
from ecluse.quality.profiling.draft import Draft, Table, drafts
from ecluse.quality.shortcuts import LARGE

#: About how many rows are looked at first, and in how many places.
LOOKED_AT, _PLACES = 50_000, 50
#: A column with at most about so many different values is grouped: this answers all that is asked of it, exactly.
FEW = 100_000
#: A value in at least this share of the rows looked at is counted in all of them.
_HEAVY = 0.01


def look(table: Table) -> None:
    """Take the rows to look at, and see which columns have few values and which may be keys."""
    batch, engine = table.batch, table.batch.engine
    table.rows = int(batch.once(f"SELECT count(*) FROM {batch.relation}")[0][0])
    table.tell("looking", 0)
    name = quote(f"ecluse_sample_{uuid.uuid4().hex}")
    wanted = min(table.rows, LOOKED_AT)
    query = f"SELECT * FROM {batch.relation}" if wanted == table.rows else _spread(batch, table.rows, table.paths)
    engine.run(f"CREATE TEMPORARY TABLE {name} AS {query}")
    table.sample, table.looked_at = name, int(engine.scalar(f"SELECT count(*) FROM {name}"))
    if table.whole:
        # Small data is read once; all that is asked of it is asked of this copy.
        batch.relation = name
    table.columns = drafts(batch, table.classifications)
    for column in table.each("looking", [c for c in table.columns if not c.opaque]):
        column.attempt("distinct", lambda column=column: _judge(table, column))  # type: ignore[misc]


def _spread(batch: Batch, rows: int, paths: Sequence[Path]) -> str:
    """A query for rows from all over the table, in their order."""
    taken = {name.lower() for name in batch.types}
    if not paths or rows < LARGE or taken & {"file_row_number", "file_index"}:
        step = quote("_ecluse_place")
        numbered = f"SELECT *, row_number() OVER () AS {step} FROM {batch.relation}"
        return f"SELECT * EXCLUDE ({step}) FROM ({numbered}) WHERE {step} % {rows // LOOKED_AT} = 0"
    # Rows that lie together are read together: far cheaper than as many single ones.
    files = literal([str(path) for path in paths])
    counts = dict(batch.engine.rows(f"SELECT file_name, num_rows FROM parquet_file_metadata({files})"))
    within, start = [], 0
    starts = [place * rows // _PLACES for place in range(_PLACES)]
    for number, path in enumerate(paths):
        count = counts[str(path)]
        for first in (s - start for s in starts if start <= s < start + count):
            last = first + LOOKED_AT // _PLACES - 1
            within.append(f"(file_index = {number} AND file_row_number BETWEEN {first} AND {last})")
        start += count
    reader = f"read_parquet({files}, can_have_nan = true, file_row_number = true)"
    return f"SELECT * EXCLUDE (file_row_number) FROM {reader} WHERE {' OR '.join(within)}"


def _judge(table: Table, column: Draft) -> None:
    """Whether a column has few values, or may be a key, as far as the rows looked at tell."""
    engine = table.batch.engine
    groups = (
        f"SELECT v, count(*) AS n FROM (SELECT {column.value} AS v FROM {table.sample}) WHERE v IS NOT NULL GROUP BY v"
    )
    distinct, once, twice, present = engine.row(
        f"SELECT count(*), count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n = 2), coalesce(sum(n), 0)::BIGINT "
        f"FROM ({groups})"
    )
    column.candidate = present > 0 and distinct == present
    # Chao's estimate of how many different values there are, from those that were seen once and twice.
    unseen = once * (once - 1) / (2 * (twice + 1))
    if table.whole or (not column.candidate and distinct + unseen <= FEW):
        column.few = quote(f"ecluse_values_{uuid.uuid4().hex}")
    elif column.told():
        least = max(_HEAVY * present, 2)
        often = engine.rows(f"SELECT v FROM ({groups}) WHERE n >= {least!r} ORDER BY n DESC, v LIMIT 5")
        column.heavy = [row[0] for row in often]
