"""``validate``: anybody's suite on any data, with GX's own result."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse import errors
from ecluse.engine.sql import literal, quote
from ecluse.errors import DefinitionError, SourceError
from ecluse.model.tablefiles import FileRows, TableFiles
from ecluse.quality import gx
from ecluse.quality.batch import Batch
from ecluse.quality.evaluation import GX_ROW_LIMIT, Evaluation
from ecluse.quality.states import digests

if TYPE_CHECKING:
    from ecluse.engine import Engine, Watch

# NOTE: other writers' statistics leave NaN out, and DuckDB believes them: without the option WHERE loses rows with NaN.
_READERS = {
    ".parquet": "read_parquet({}, can_have_nan = true)",
    ".csv": "read_csv({}, header = true, sample_size = -1)",
}


def validate(
    data: Any,
    suite: Any,
    *,
    result_format: str | Mapping[str, Any] = "SUMMARY",
    suite_parameters: Mapping[str, Any] | None = None,
    failing_rows: str | Path | None = None,
    gx_row_limit: int = GX_ROW_LIMIT,
    states: str | Path | None = None,
    memory_limit: str | None = None,
    watch: Watch | None = None,
) -> gx.SuiteResult:
    """Validate ``data`` with a GX suite and return GX's ``ExpectationSuiteValidationResult``.

    ``data`` is a path or several (Parquet, CSV), an Arrow table, a pandas or Polars frame, or a DuckDB relation, which
    is read into memory. Results stand in the order of the suite; ``meta["ecluse"]["executed_by"]`` of each says who
    measured: ``ecluse``, or ``gx`` where there is no SQL that provably means the same. Above ``gx_row_limit`` rows the
    latter is an exception in the result, never a success.

    ``failing_rows`` is the Parquet file to which all failing rows are written, as ``ecluse.quality.failing_rows`` gives
    them. It is written anew; where an expectation about rows could not be computed, ``NotComputed`` says so and no file
    is left.

    ``states`` is a folder in which what was measured of each Parquet file is kept: a file that was validated before is
    not read again for what adds up over files, and ``executed_by`` then says ``ecluse (merged)``. The folder is a
    cache, and holds extremes and frequent values of the data, and all values of a column whose ranks are asked for.

    ``memory_limit`` (``"2GB"``) is the most that DuckDB uses; what doesn't fit is written to the system's temporary
    folder. What GX itself computes, and Python's own objects, come on top. Another thread may look at ``watch`` and
    stop the work with it: then this raises ``Cancelled``.
    """
    from ecluse.quality.failing import write_failing

    with opened(memory_limit, watch) as engine:
        run = evaluation(
            engine,
            data,
            suite,
            _format(result_format),
            suite_parameters,
            gx_row_limit,
            None if states is None else Path(states),
            watch,
        )
        result = gx.suite_result(suite.name, [answer.result for answer in run.answers], {})
        if failing_rows is not None:
            write_failing(run, Path(failing_rows))
        return result


@contextmanager
def opened(memory_limit: str | None = None, watch: Watch | None = None) -> Iterator[Engine]:
    """An engine for one validation, which spills into a temporary folder of its own."""
    from ecluse.engine import Cancelled, Engine, EngineError

    with tempfile.TemporaryDirectory(prefix="ecluse-") as folder:
        try:
            engine = Engine(memory_limit=memory_limit, temp_directory=Path(folder), watch=watch)
        except EngineError as error:
            raise DefinitionError("quality.memory_limit", given=memory_limit) from error
        with engine:
            # Each statement looks into the files' footers again otherwise.
            engine.run("SET parquet_metadata_cache = true")
            try:
                yield engine
            except (Cancelled, Exception) as error:
                if watch is None or not watch.cancelled:
                    raise
                raise errors.Cancelled("quality.cancelled") from error
        if watch is not None and watch.cancelled:
            # The statement that was stopped may read as one that failed.
            raise errors.Cancelled("quality.cancelled")


def evaluation(
    engine: Engine,
    data: Any,
    suite: Any,
    result_format: dict[str, Any],
    suite_parameters: Mapping[str, Any] | None = None,
    gx_row_limit: int = GX_ROW_LIMIT,
    states: Path | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """A suite asked of ``data``, which ``engine`` then holds; ``DefinitionError`` where it is no GX suite."""
    kind = gx.module().ExpectationSuite
    if not isinstance(suite, kind):
        raise DefinitionError("quality.suite_kind", dataset="validate()", found=type(suite).__name__)
    batch = batch_of(engine, data)
    return Evaluation(
        batch,
        list(suite.expectations),
        result_format,
        parameters={**(getattr(suite, "suite_parameters", None) or {}), **(suite_parameters or {})},
        gx_row_limit=gx_row_limit,
        files=None if states is None else _table_files(engine, data, states),
        watch=watch,
    )


def _table_files(engine: Engine, data: Any, folder: Path) -> TableFiles | None:
    """The files of ``data``, where it is Parquet files: only they can be told apart and known again."""
    given = [data] if isinstance(data, (str, Path)) else data
    if not (isinstance(given, Sequence) and all(isinstance(d, (str, Path)) for d in given)):
        return None
    paths = [Path(d) for d in given]
    if any(path.suffix.lower() != ".parquet" for path in paths):
        return None
    known = digests(paths, folder)
    rows = dict(
        engine.rows(f"SELECT file_name, num_rows FROM parquet_file_metadata({literal([str(p) for p in paths])})")
    )
    files = (
        FileRows(known[p], f"(SELECT * FROM {_READERS['.parquet'].format(literal(str(p)))})", rows[str(p)])
        for p in paths
    )
    return TableFiles(tuple(files), folder)


def read_suite(path: str | Path) -> Any:
    """The GX suite in a JSON file, as GX stores it; ``DefinitionError`` where it is none."""
    path = Path(path)
    configuration = gx.module("great_expectations.expectations.expectation_configuration").ExpectationConfiguration
    try:
        found = json.loads(path.read_text("utf-8"))
        with gx.quiet():
            for expectation in found["expectations"]:
                # NOTE: a suite only logs an expectation that it can't read and goes on without it; this raises.
                configuration(**expectation).to_domain_obj()
            return gx.module().ExpectationSuite(
                name=found["name"],
                expectations=found["expectations"],
                meta=found.get("meta") or {},
                notes=found.get("notes"),
            )
    except FileNotFoundError as error:
        raise DefinitionError("quality.suite_missing", path=path) from error
    except Exception as error:
        raise DefinitionError("quality.suite_file", path=path, error=str(error) or type(error).__name__) from error


def _format(given: str | Mapping[str, Any]) -> dict[str, Any]:
    parse = gx.module("great_expectations.expectations.expectation_configuration").parse_result_format
    names = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")
    chosen = given if isinstance(given, str) else given.get("result_format")
    if chosen not in names:
        raise DefinitionError("quality.result_format", given=given, known=", ".join(names))
    found: dict[str, Any] = parse(given if isinstance(given, str) else dict(given))
    return found


def batch_of(engine: Engine, data: Any) -> Batch:
    """``data`` as a relation of ``engine``, which holds it in memory unless it is Parquet."""
    import pyarrow as pa

    if isinstance(data, (str, Path)):
        return _files(engine, [Path(data)])
    if isinstance(data, Sequence) and data and all(isinstance(d, (str, Path)) for d in data):
        return _files(engine, [Path(d) for d in data])
    if isinstance(data, (pa.Table, pa.RecordBatch)):
        return _memory(engine, data)
    home = type(data).__module__.split(".")[0].lstrip("_")
    if home == "pandas" and type(data).__name__ == "DataFrame":
        return _memory(engine, data.set_axis([str(c) for c in data.columns], axis="columns"), is_frame=True)
    if home == "polars" and type(data).__name__ in ("DataFrame", "LazyFrame"):
        return _memory(engine, (data.collect() if type(data).__name__ == "LazyFrame" else data).to_arrow())
    if home == "duckdb" and hasattr(data, "to_arrow_table"):
        return _memory(engine, data.to_arrow_table())
    raise DefinitionError("quality.data_kind", found=type(data).__name__)


def _memory(engine: Engine, data: Any, *, is_frame: bool = False) -> Batch:
    name, opaque = f"ecluse_validated_{uuid.uuid4().hex}", []
    frame = data if is_frame else None
    if is_frame:
        opaque = [c for c in data.columns if not _has_sql_type(data[c])]
        data = data.assign(**dict.fromkeys(opaque, 0))
    engine.connection.register(name, data)
    return Batch(engine, quote(name), frame=frame, opaque=opaque)


def _has_sql_type(series: Any) -> bool:
    """Whether a pandas column means the same in SQL. Objects do where all of them are text."""
    import pandas as pd

    kind = pd.api.types
    if kind.is_object_dtype(series.dtype):
        return kind.infer_dtype(series, skipna=True) in ("string", "empty")
    plain = (
        kind.is_integer_dtype,
        kind.is_float_dtype,
        kind.is_bool_dtype,
        kind.is_datetime64_any_dtype,
        kind.is_string_dtype,
    )
    return any(is_kind(series.dtype) for is_kind in plain) and str(series.dtype) != "float16"


def _files(engine: Engine, paths: list[Path]) -> Batch:
    kinds = {p.suffix.lower() for p in paths}
    for path in paths:
        if not path.is_file():
            raise SourceError("quality.missing_file", path=path)
    if len(kinds) > 1 or not kinds <= set(_READERS):
        raise DefinitionError("quality.file_kind", paths=", ".join(map(str, paths)))
    reader = _READERS[kinds.pop()].format(literal([str(p) for p in paths]))
    relation = f"(SELECT * FROM {reader})"
    try:
        if reader.startswith("read_csv"):
            # Parsed once, not once for each statement.
            relation = quote(f"ecluse_validated_{uuid.uuid4().hex}")
            engine.run(f"CREATE TABLE {relation} AS SELECT * FROM {reader}")
        return Batch(engine, relation)
    except Exception as error:
        raise SourceError("quality.unreadable", paths=", ".join(map(str, paths)), error=error) from error
