"""Every failing row with all that it broke, without a limit, as a stream or a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.errors import NotComputed, StorageError
from ecluse.model.names import BROKE
from ecluse.quality.batch import CannotCompute
from ecluse.quality.promises import check_name, free_name, row_level
from ecluse.quality.rows import split
from ecluse.quality.validate import evaluation, opened

if TYPE_CHECKING:
    import pyarrow as pa

    from ecluse.engine import Watch
    from ecluse.quality.evaluation import Evaluation

_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


def failing_rows(
    data: Any,
    suite: Any,
    *,
    suite_parameters: Mapping[str, Any] | None = None,
    memory_limit: str | None = None,
    watch: Watch | None = None,
) -> contextlib.AbstractContextManager[pa.RecordBatchReader]:
    """All rows of ``data`` that break an expectation about rows, in their order, as a stream of Arrow batches.

    ``data``, ``suite``, ``memory_limit`` and ``watch`` are as for ``validate``. Each row has its columns and
    ``_broke``, the names of all that it breaks: the expectation's type and columns, with ``_2`` where a suite has two
    of one name. Rows that break an expectation also come where its ``mostly`` holds. ``NotComputed`` where an
    expectation about rows could not be asked: an empty stream would then mean nothing.

    .. code-block:: python

        with failing_rows("orders.parquet", suite) as batches:
            for batch in batches:
                print(batch.column("_broke"))
    """
    return _opened(data, suite, suite_parameters, memory_limit, watch)


@contextlib.contextmanager
def _opened(
    data: Any, suite: Any, suite_parameters: Mapping[str, Any] | None, memory_limit: str | None, watch: Watch | None
) -> Iterator[pa.RecordBatchReader]:
    with opened(memory_limit, watch) as engine:
        run = evaluation(engine, data, suite, _COUNTS, suite_parameters, watch=watch)
        yield engine.batches(failing_sql(run))


def failing_sql(run: Evaluation) -> str:
    """The statement for all failing rows of an evaluation, ``_broke`` last; it holds as long as the engine does."""
    taken: set[str] = set()
    broken: dict[str, str | list[int]] = {}
    for index, (expectation, answer) in enumerate(zip(run.expectations, run.answers, strict=True)):
        configuration = expectation.configuration
        name = free_name(check_name(configuration.type, configuration.kwargs), taken)
        if not row_level(expectation):
            continue
        if answer.message is not None:
            raise NotComputed("quality.rows_unknown", name=name, message=answer.message)
        if run.breaks(index):
            try:
                broken[name] = run.broken_rows(index)
            except CannotCompute as error:
                raise NotComputed("quality.rows_unknown", name=name, message=error) from error
    found, passing = split(run.batch, broken)
    return found or f"SELECT *, []::VARCHAR[] AS {BROKE} FROM ({passing}) LIMIT 0"


def write_failing(run: Evaluation, path: Path) -> None:
    """Write all failing rows to the Parquet file ``path``; ``StorageError`` where it can't be written."""
    import pyarrow.parquet as pq

    batches = run.batch.engine.batches(failing_sql(run))
    part = path.with_name(f"{path.name}.part")
    try:
        with pq.ParquetWriter(part, batches.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
        part.replace(path)
    except OSError as error:
        raise StorageError("quality.rows_unwritten", path=path, error=error.strerror or error) from error
    finally:
        part.unlink(missing_ok=True)
