"""Data that was let through: only what was granted, as Arrow, pandas, Polars or a DuckDB relation."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.door.identity import Reader
from ecluse.errors import DefinitionError
from ecluse.model.release import Manifest
from ecluse.model.verdict import Verdict
from ecluse.warehouse import ObjectStore

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ecluse.engine import Engine


@dataclass(frozen=True)
class Loaded:
    """One dataset of a release, opened for one reader and purpose.

    ``columns`` maps each column to how it is shown: ``clear``, ``generalised``, ``pseudonym`` or ``null``. Every call
    reads the files again; rows are in the order in which they were published.
    """

    dataset: str
    manifest: Manifest
    verdict: Verdict
    reader: Reader
    purpose: str
    columns: dict[str, str]
    _sql: str = field(repr=False)
    _temporary: Path = field(repr=False)
    # NOTE: held, because its copies of what lies in an object store are deleted with it.
    _objects: ObjectStore = field(repr=False)

    @property
    def version(self) -> str:
        """The release's version."""
        return self.manifest.version

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        with self._engine() as engine:
            return engine.arrow(self._sql)

    def batches(self) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches, for data larger than memory."""
        import pyarrow as pa

        engine = self._new_engine()
        reader = engine.batches(self._sql)

        def stream(_held: ObjectStore) -> Iterator[pa.RecordBatch]:
            try:
                yield from reader
            finally:
                engine.close()

        return pa.RecordBatchReader.from_batches(reader.schema, stream(self._objects))

    def pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame. Whole numbers and booleans with nulls keep their values in nullable types."""
        import pyarrow as pa

        with _installed("pandas"):
            import pandas as pd

        table = self.arrow()
        exact = {
            pa.int8(): pd.Int8Dtype(),
            pa.int16(): pd.Int16Dtype(),
            pa.int32(): pd.Int32Dtype(),
            pa.int64(): pd.Int64Dtype(),
            pa.uint8(): pd.UInt8Dtype(),
            pa.uint16(): pd.UInt16Dtype(),
            pa.uint32(): pd.UInt32Dtype(),
            pa.uint64(): pd.UInt64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
        }
        # NOTE: by default pandas turns whole numbers with nulls into floats, which lose digits above 2^53.
        with_nulls = {f.type for f in table.schema if table.column(f.name).null_count}
        found: pd.DataFrame = table.to_pandas(types_mapper=lambda t: exact.get(t) if t in with_nulls else None)
        return found

    def polars(self) -> pl.DataFrame:
        """All rows as a Polars frame."""
        with _installed("polars"):
            import polars as pl

        found = pl.from_arrow(self.arrow())
        assert isinstance(found, pl.DataFrame)
        return found

    def relation(self) -> duckdb.DuckDBPyRelation:
        """The rows as a DuckDB relation, on a connection that holds nothing else and can open no file."""
        engine = self._new_engine()
        # NOTE: a table, and no view: a view's text would name the files and hold the key of pseudonyms.
        engine.run(f"CREATE TABLE granted AS {self._sql}")
        engine.run("SET enable_external_access = false")
        engine.run("SET lock_configuration = true")
        relation = engine.relation("SELECT * FROM granted")
        weakref.finalize(relation, engine.close)
        return relation

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = self._new_engine()
        try:
            yield engine
        finally:
            engine.close()

    def _new_engine(self) -> Engine:
        from ecluse.engine import Engine

        return Engine(temp_directory=self._temporary)


@contextmanager
def _installed(package: str) -> Iterator[None]:
    """``DefinitionError`` where an optional package isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DefinitionError("door.package", package=package) from error
