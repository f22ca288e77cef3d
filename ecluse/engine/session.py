"""One DuckDB connection with the settings that make its answers repeatable: UTC, insertion order kept."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from ecluse.engine.sql import literal, quote
from ecluse.engine.watch import Cancelled, Watch

#: About how large a data file gets, unless it is asked for otherwise.
FILE_BYTES = 512 * 2**20

_ERRNO = re.compile(r'"errno":\s*"?(\d+)')


#: Values of a statement's parameters: by place (``?``, ``$1``), or by name (``$key``).
Parameters = Sequence[object] | Mapping[str, object]


class Engine:
    """An in-memory DuckDB that reads and writes files; use it from one thread, and close it.

    ``memory_limit`` is DuckDB's own notation (``"2GB"``). ``temp_directory`` receives what doesn't fit in memory.
    ``watch`` sees from another thread how far a statement is, and stops it: then ``Cancelled`` is raised, and for the
    keyboard's Ctrl-C ``KeyboardInterrupt``, which both are no ``Exception``.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        memory_limit: str | None = None,
        temp_directory: Path | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.connection = duckdb.connect()
        self._watch = watch
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_progress_bar = false")
        if threads is not None:
            self.connection.execute(f"SET threads = {threads}")
        if memory_limit is not None:
            self.connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        if temp_directory is not None:
            self.connection.execute(f"SET temp_directory = {literal(str(temp_directory))}")
        if watch is not None:
            watch.opened(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def cursor(self) -> Engine:
        """Another connection to the same DuckDB, with temporary tables and views of its own.

        It costs a hundredth of a new engine. Close it; this engine stays open.
        """
        other = Engine.__new__(Engine)
        other.connection = self.connection.cursor()
        other.connection.execute("SET TimeZone = 'UTC'")
        other._watch = self._watch  # noqa: SLF001 - of this class
        return other

    def close(self) -> None:
        """Close the connection; what it holds in memory is gone."""
        if self._watch is not None:
            self._watch.closed(self.connection)
        self.connection.close()

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Tells a statement that was stopped from one that failed."""
        if self._watch is not None and self._watch.cancelled:
            raise Cancelled
        try:
            yield
        except duckdb.InterruptException as error:
            raise Cancelled from error
        except RuntimeError as error:
            # NOTE: what DuckDB makes of Ctrl-C.
            if str(error) == "Query interrupted":
                raise KeyboardInterrupt from error
            raise

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self._stoppable():
            return self.connection.execute(sql, _given(parameters)).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> tuple[Any, ...]:
        """The first row of a statement that gives at least one."""
        with self._stoppable():
            result = self.connection.execute(sql, _given(parameters))
            found = result.fetchone()
            # NOTE: an unfinished result blocks the connection for relations and views, which share it.
            result.complete()
        assert found is not None, "the statement gave no row"
        return found

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first value of the first row."""
        return self.row(sql, parameters)[0]

    def run(self, sql: str, parameters: Parameters = ()) -> None:
        """Carry out a statement whose rows nobody wants."""
        with self._stoppable():
            self.connection.execute(sql, _given(parameters))

    def describe(self, sql: str, parameters: Parameters = ()) -> dict[str, str]:
        """Column names and DuckDB types of a query, in order, without running it."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {sql}", parameters)}

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """A query as a lazy DuckDB relation."""
        return self.connection.sql(sql)

    def arrow(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """All rows of a query as an Arrow table."""
        with self._stoppable():
            return self.connection.sql(sql, params=_given(parameters)).to_arrow_table()

    def batches(self, sql: str, parameters: Parameters = ()) -> pa.RecordBatchReader:
        """The rows of a query as a stream of Arrow batches."""
        with self._stoppable():
            return self.connection.sql(sql, params=_given(parameters)).to_arrow_reader()

    def confine(self, files: Sequence[str] = ()) -> None:
        """From now on this engine opens these files and nothing else, and no setting of it changes any more."""
        self.run(f"SET allowed_paths = {literal(list(files))}")
        self.run("SET enable_external_access = false")
        self.run("SET lock_configuration = true")

    @contextmanager
    def registered(self, data: object) -> Iterator[str]:
        """A quoted view name for an Arrow table or reader, a pandas or a Polars frame, while the context lasts."""
        name = f"given_{uuid.uuid4().hex}"
        self.connection.register(name, data)
        try:
            yield quote(name)
        finally:
            self.connection.unregister(name)

    def copy(
        self,
        sql: str,
        folder: Path,
        *,
        field_ids: Mapping[str, object] | None = None,
        file_bytes: int = FILE_BYTES,
    ) -> list[Path]:
        """Write a query to Parquet files (zstd) in a new ``folder``, rows and files in the query's order.

        ``field_ids`` maps a column to its Parquet field id, or to a mapping of ids where the column is nested.
        A file holds about ``file_bytes`` at most. An empty result gives one file without rows. On an error the folder
        is removed again; what the operating system refused (a full disk, missing rights) is an ``OSError``.
        """
        try:
            folder.mkdir(parents=True)
            whole = folder / "data_0000.parquet"
            self._copy_file(sql, whole, field_ids)
            parts = -(-whole.stat().st_size // file_bytes)
            if parts > 1:
                self._split(whole, parts, field_ids)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            # NOTE: DuckDB names the system's error only inside of its message.
            if isinstance(error, duckdb.IOException) and (found := _ERRNO.search(str(error))):
                raise OSError(int(found[1]), os.strerror(int(found[1])), str(folder)) from error
            raise
        return sorted(folder.glob("*.parquet"))

    def _copy_file(self, sql: str, file: Path, field_ids: Mapping[str, object] | None) -> None:
        # NOTE: DuckDB 2.0 mixes row groups unless it is told not to, whatever the connection's setting says, and it
        # can't keep the order over several files.
        options = ["FORMAT parquet", "COMPRESSION zstd", "PRESERVE_ORDER true"]
        if field_ids:
            options.append(f"FIELD_IDS {_ids(field_ids)}")
        self.run(f"COPY ({sql}) TO {literal(str(file))} ({', '.join(options)})")

    def _split(self, whole: Path, parts: int, field_ids: Mapping[str, object] | None) -> None:
        """Cut one file into several of about the same size. Only what is larger than one file pays for this."""
        written = whole.rename(whole.with_name("whole"))
        source = f"read_parquet({literal(str(written))}, file_row_number = true, hive_partitioning = false)"
        rows = -(-self.scalar(f"SELECT count(*) FROM {source}") // parts)
        with self._one_thread():
            for part in range(parts):
                within = f"file_row_number >= {part * rows} AND file_row_number < {(part + 1) * rows}"
                self._copy_file(
                    f"SELECT * EXCLUDE (file_row_number) FROM {source} WHERE {within}",
                    whole.with_name(f"data_{part:04}.parquet"),
                    field_ids,
                )
        written.unlink()

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """Work with one thread: several read ahead of the one that writes, and all that they read waits in memory."""
        threads = self.scalar("SELECT current_setting('threads')")
        self.run("SET threads = 1")
        try:
            yield
        finally:
            self.run(f"SET threads = {threads}")


def relation_of(table: pa.Table, like: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """An Arrow table as a relation that outlives any engine, with the columns and types of another."""
    types = zip(like.columns, like.types, strict=True)
    casts = ", ".join(f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in types)
    return duckdb.from_arrow(table).project(casts)


def _given(parameters: Parameters) -> list[object] | dict[str, object]:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters)


def _ids(found: object) -> str:
    if isinstance(found, Mapping):
        return "{" + ", ".join(f"{quote(name)}: {_ids(inner)}" for name, inner in found.items()) + "}"
    return str(found)
