"""A question that only Python can answer, asked once of each distinct value and joined back."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pyarrow as pa

from ecluse.engine.sql import quote
from ecluse.quality.batch import Batch


def kept_by_python(batch: Batch, column: str, keeps: Callable[[str], bool], *, where: str = "true") -> str:
    """SQL that is true where ``keeps`` is true of the text in ``column``; asks only rows that meet ``where``.

    The values that fail stand in a temporary table, which lives as long as the engine.
    """
    name = quote(column)
    batch.note("python", name)
    sql = f"SELECT DISTINCT {name} AS value FROM {batch.relation} WHERE {name} IS NOT NULL AND ({where})"
    failing = [v for chunk in batch.engine.arrow(sql).column(0).chunks for v in chunk.to_pylist() if not keeps(v)]
    if not failing:
        return "true"
    table = quote(f"ecluse_values_{uuid.uuid4().hex}")
    with batch.engine.registered(pa.table({"value": pa.array(failing, pa.string())})) as view:
        batch.engine.run(f"CREATE TEMPORARY TABLE {table} AS SELECT value FROM {view}")
    return f"{name} NOT IN (SELECT value FROM {table})"
