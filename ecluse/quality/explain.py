"""The plan behind a suite: which passes over the data it takes, what each computes and who shares it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.engine.sql import literal
from ecluse.quality.merged import MergedPlan
from ecluse.quality.validate import evaluation, opened

if TYPE_CHECKING:
    from ecluse.engine import Engine, Watch
    from ecluse.quality.batch import Batch
    from ecluse.quality.evaluation import Evaluation

#: Kinds of passes, the cheapest first: nothing is read for the first ones, the last holds all rows in memory.
KINDS = (
    # Told by column names and types.
    "schema",
    # The files' statistics prove that no row breaks it.
    "footers",
    # Merged from the states of data files.
    "files",
    # Python is asked about each different value; SQL is.
    "python",
    "values",
    # Measured before rows are asked.
    "first",
    # The one statement that all share.
    "scan",
    # Without a state of files, so that the whole is measured.
    "again",
    # Statements of their own.
    "pass",
    "ranks",
    "order",
    # Keys that rise in the first rows: compared with the row before, and grouped only where they don't rise to the end.
    "rising",
    "grouping",
    # Great Expectations itself, with the reason.
    "gx",
)


#: Kinds that read no row, or whose reading can't be told before.
_READ_NOTHING = ("schema", "footers")
_UNTOLD = ("files", "again", "gx")
_NAMES = re.compile(r'"((?:[^"]|"")+)"')


@dataclass(frozen=True)
class Computed:
    """One thing that a pass computes, as SQL or a metric's name, and the expectations that share it."""

    what: str
    shared_by: tuple[str, ...]


@dataclass(frozen=True)
class Pass:
    """One kind of pass, of ``KINDS``, and what it costs.

    ``statements`` read ``columns``, and ``bytes`` of the files (compressed, a column as often as it is read); ``None``
    is what can't be told before.
    """

    kind: str
    computes: tuple[Computed, ...]
    statements: int | None = None
    columns: tuple[str, ...] | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class Explanation:
    """A plan. ``failed`` are the expectations that can't be computed, with the reason, by name.

    ``bytes`` is the size of all columns in the files; ``None`` where the data aren't Parquet files.
    ``files`` counts the data files, where their states are kept; ``known`` those that needn't be read.
    """

    passes: tuple[Pass, ...]
    failed: Mapping[str, str]
    bytes: int | None = None
    files: int | None = None
    known: int | None = None


def explain(
    data: Any,
    suite: Any,
    *,
    suite_parameters: Mapping[str, Any] | None = None,
    states: str | Path | None = None,
    memory_limit: str | None = None,
    watch: Watch | None = None,
) -> Explanation:
    """How ``validate`` would answer; the arguments are its own.

    What the plan itself hangs on is read: samples of text columns, the different values that only Python can judge, and
    what is measured first. Nothing is judged.
    """
    counts = {"result_format": "BASIC", "partial_unexpected_count": 0}
    folder = None if states is None else Path(states)
    with opened(memory_limit, watch) as engine:
        run = evaluation(engine, data, suite, counts, suite_parameters, states=folder, watch=watch)
        return explained(run, column_bytes(engine, data))


def explained(run: Evaluation, sizes: Mapping[str, int]) -> Explanation:
    """The plan of an evaluation of columns that have ``sizes`` in their files."""
    found: dict[str, list[Computed]] = {kind: [] for kind in KINDS}
    for (kind, what), askers in run.batch.notes.items():
        found[kind].append(Computed(what, tuple(askers)))
    passes = tuple(_pass(run.batch, kind, computes, sizes) for kind, computes in found.items() if computes)
    whole = sum(sizes.values()) if sizes else None
    if not isinstance(run.plan, MergedPlan):
        return Explanation(passes, run.failed, whole)
    files, known = run.plan.known()
    return Explanation(passes, run.failed, whole, files, known)


def column_bytes(engine: Engine, data: Any) -> dict[str, int]:
    """What each column takes in the Parquet files ``data``, in bytes; nothing where they are none."""
    given = [data] if isinstance(data, (str, Path)) else data
    if not (isinstance(given, Sequence) and all(isinstance(d, (str, Path)) for d in given)):
        return {}
    if any(Path(d).suffix.lower() != ".parquet" for d in given):
        return {}
    # The parts of a nested column belong to it.
    sql = "SELECT split_part(path_in_schema, ', ', 1), sum(total_compressed_size) FROM parquet_metadata({}) GROUP BY 1"
    return {name: int(size) for name, size in engine.rows(sql.format(literal([str(d) for d in given])))}


def _pass(batch: Batch, kind: str, computes: list[Computed], sizes: Mapping[str, int]) -> Pass:
    if kind in _READ_NOTHING:
        return Pass(kind, tuple(computes), 0, (), 0 if sizes else None)
    if kind in _UNTOLD:
        return Pass(kind, tuple(computes))
    read = [_columns(batch, computed.what) for computed in computes]
    listed = tuple(dict.fromkeys(name for names in read for name in names))
    # All that the scan computes is one statement, which reads a column once.
    statements = [set(listed)] if kind == "scan" else [set(names) for names in read]
    size = sum(sizes.get(name, 0) for names in statements for name in names) if sizes else None
    return Pass(kind, tuple(computes), len(statements), listed, size)


def _columns(batch: Batch, sql: str) -> list[str]:
    names = (name.replace('""', '"') for name in _NAMES.findall(sql))
    return [name for name in names if name in batch.types]
