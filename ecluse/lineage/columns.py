"""Column lineage of a query, read off the plan to which DuckDB binds it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ecluse.lineage.influences import Column, merged
from ecluse.lineage.operators import Walk
from ecluse.lineage.plan import UnknownPlan, bound_plan
from ecluse.model.lineage import ColumnLineage, Edge

if TYPE_CHECKING:
    from ecluse.engine import Engine

_BINDER_LOCK = threading.Lock()

#: What an SQL step reads under one name: the dataset, and its columns with their DuckDB types.
Table = tuple[str, Mapping[str, str]]


def columns_of(sql: str, tables: Mapping[str, Table]) -> ColumnLineage:
    """Where each output column of one query comes from, and which columns decide its rows.

    ``tables`` maps the names that the SQL uses to datasets. Nothing is read or run: the query is bound over empty
    tables by a DuckDB that reaches no file. A query that can't be bound, or whose plan holds anything that
    isn't understood, gives no edge at all and says so in ``errors``.

    >>> found = columns_of("SELECT a + 1 AS b FROM t", {"t": ("raw.t", {"a": "INTEGER"})})
    >>> found.fields["b"]
    (Edge(dataset='raw.t', column='a', type='DIRECT', subtype='TRANSFORMATION', masking=False),)
    """
    from ecluse.engine import EngineError, quote

    with _BINDER_LOCK:
        engine = _binder().cursor()
    with engine:
        try:
            engine.run("SET python_enable_replacements = false")
            for table, (_, columns) in tables.items():
                listed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
                engine.run(f"CREATE TEMP TABLE {quote(table)} ({listed})")
            names = [str(row[0]) for row in engine.rows(f"DESCRIBE {sql}")]
            plan = bound_plan(engine, sql)
            found = Walk({table: dataset for table, (dataset, _) in tables.items()}).relation(plan)
            _refuse_surprises(names, (*found.columns, found.rows), tables.values())
        except UnknownPlan as unknown:
            return ColumnLineage(errors=(str(unknown),))
        except EngineError as error:
            return ColumnLineage(errors=(str(error).splitlines()[0],))
    return ColumnLineage(
        fields={name: tuple(sorted(column)) for name, column in zip(names, found.columns, strict=False)},
        dataset=tuple(sorted(found.rows)),
    )


@functools.cache
def _binder() -> Engine:
    """The one DuckDB of this process that binds queries: it holds no table, runs nothing and reaches no file."""
    from ecluse.engine import Engine

    engine = Engine(threads=1)
    engine.run("SET enable_external_access = false")
    return engine


def _refuse_surprises(names: list[str], found: tuple[Column, ...], tables: Iterable[Table]) -> None:
    """Compare what was found with what DuckDB itself says of the query: the plan's reader is never simply believed."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UnknownPlan(f"the query names these columns twice: {', '.join(repeated)}.")
    # NOTE: operators may carry columns beyond the query's own, for example those of ORDER BY.
    if len(found) - 1 < len(names):
        raise UnknownPlan(f"the query has {len(names)} columns and its plan {len(found) - 1}.")
    known = {(dataset, column) for dataset, columns in tables for column in columns}
    if unknown := sorted(edge for edge in merged(found) if (edge.dataset, edge.column) not in known):
        raise UnknownPlan(f"{unknown[0].column} of {unknown[0].dataset} is read, which is no column of it.")


def columns_of_files(origins: Iterable[str], columns: Iterable[str]) -> ColumnLineage:
    """The lineage of a collected dataset: each column is read from the column of the same name in each file."""
    files = tuple(origins)
    return ColumnLineage(
        fields={c: tuple(sorted(Edge(f, c, "DIRECT", "TRANSFORMATION") for f in files)) for c in columns}
    )


def not_extracted(why: str) -> ColumnLineage:
    """The lineage of what isn't SQL, such as a Python function over frames: unknown, which is said and not left out."""
    return ColumnLineage(errors=(why,))
