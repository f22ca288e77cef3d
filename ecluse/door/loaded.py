"""Data that was let through: only what was granted, as Arrow, pandas, Polars or a DuckDB relation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ecluse.door.identity import Reader
from ecluse.door.query import Query
from ecluse.errors import DefinitionError
from ecluse.model.release import Manifest
from ecluse.model.verdict import Verdict

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True)
class Loaded:
    """One dataset of a release, opened for one reader and purpose.

    ``released`` is false for what was loaded with ``phase="poc"``: nobody answered for it, and its version is none.
    ``columns`` maps each column to how it is shown: ``clear``, ``generalised``, ``pseudonym`` or ``null``. Every call
    reads the files again; rows are in the order in which they were published. ``NotComputed`` where a row can't be
    shown as it was granted.
    """

    dataset: str
    manifest: Manifest
    verdict: Verdict
    reader: Reader
    purpose: str
    columns: dict[str, str]
    released: bool
    _query: Query = field(repr=False)

    def __repr__(self) -> str:
        """What was opened, for whom and how; the manifest, which names every file, would fill a screen."""
        return (
            f"Loaded({self.dataset!r}, version={self.version!r}, purpose={self.purpose!r},"
            f" reader={self.reader.party!r}, columns={self.columns!r}, released={self.released!r})"
        )

    @property
    def version(self) -> str:
        """The release's version."""
        return self.manifest.version

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self._query.table(self.dataset)

    def batches(self) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches, for data larger than memory."""
        return self._query.batches(self.dataset)

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
        return self._query.relation(self.dataset)


@contextmanager
def _installed(package: str) -> Iterator[None]:
    """``DefinitionError`` where an optional package isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DefinitionError("door.package", package=package) from error
