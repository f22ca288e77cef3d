"""The query behind loaded data, and the engines that run it: each may open the granted files, and nothing else."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ecluse.access import Hidden
from ecluse.errors import NotComputed
from ecluse.warehouse import ObjectStore

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from ecluse.engine import Engine

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Query:
    """One ``SELECT`` over data files, with the keys that it needs, and a folder for what doesn't fit in memory.

    What DuckDB says of a statement that failed may quote a value or a path, so nothing of it comes out but the kind.
    """

    sql: str = field(repr=False)
    keys: Hidden[dict[str, bytes]]
    temporary: Path
    # NOTE: held, because its copies of what lies in an object store are deleted with it.
    objects: ObjectStore = field(repr=False)

    def table(self, dataset: str) -> pa.Table:
        """All rows."""
        with self._engine() as engine:
            return _answered(dataset, lambda: engine.arrow(self.sql, self.keys.reveal()))

    def batches(self, dataset: str) -> pa.RecordBatchReader:
        """The rows as a stream."""
        import pyarrow as pa

        engine = self._engine()
        reader = _answered(dataset, lambda: engine.batches(self.sql, self.keys.reveal()))

        def stream(_held: Query) -> Iterator[pa.RecordBatch]:
            try:
                while (batch := _answered(dataset, lambda: next(reader, None))) is not None:
                    yield batch
            finally:
                engine.close()

        return pa.RecordBatchReader.from_batches(reader.schema, stream(self))

    def relation(self, dataset: str) -> duckdb.DuckDBPyRelation:
        """The rows as a table of an engine of their own, which may open no file at all.

        NOTE: a table of another engine, because this one's settings name the files and let them be read, and a view's
        text would name them too.
        """
        from ecluse.engine import Engine, quote

        with self._engine() as engine:
            types = engine.describe(self.sql, self.keys.reveal())
            listed = ", ".join(f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in types.items())
            rows = _answered(dataset, lambda: engine.batches(self.sql, self.keys.reveal()))
            granted = Engine(temp_directory=self.temporary)
            with granted.registered(rows) as given:
                _answered(dataset, lambda: granted.run(f"CREATE TABLE granted AS SELECT {listed} FROM {given}"))
        granted.confine()
        relation = granted.relation("SELECT * FROM granted")
        weakref.finalize(relation, granted.close)
        return relation

    def _engine(self) -> Engine:
        from ecluse.engine import Engine

        engine = Engine(temp_directory=self.temporary)
        engine.confine(sorted(_files(engine, self.sql)))
        return engine


def _files(engine: Engine, sql: str) -> set[str]:
    """The files that a statement reads, as DuckDB's own parser finds them."""
    return set(_paths(json.loads(engine.scalar("SELECT json_serialize_sql($1)", [sql]))))


def _paths(found: Any) -> Iterator[str]:
    if isinstance(found, dict) and found.get("function_name") == "read_parquet":
        yield from _texts(found["arguments"][0])
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from _paths(inner)


def _texts(found: Any) -> Iterator[str]:
    """The constant texts in a parsed expression."""
    if isinstance(found, dict) and found.get("class") == "CONSTANT":
        yield str(found["literal"]["text"])
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from _texts(inner)


def _answered(dataset: str, ask: Callable[[], Answer]) -> Answer:
    """What ``ask`` gives; ``NotComputed`` where DuckDB, or Arrow on its behalf, fails."""
    import pyarrow as pa

    from ecluse.engine import EngineError, said

    try:
        return ask()
    except (EngineError, pa.ArrowException, OSError) as error:
        problem = said(error)
    # NOTE: raised here, where no other error is being handled: a chained one would carry its message along.
    raise NotComputed("door.rows", dataset=dataset, error=problem)
