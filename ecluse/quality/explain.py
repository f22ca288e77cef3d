"""The plan behind a suite: which passes over the data it takes, what each computes and who shares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.quality.merged import MergedPlan
from ecluse.quality.validate import evaluation, opened

if TYPE_CHECKING:
    from ecluse.engine import Watch
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
    "grouping",
    # Great Expectations itself, with the reason.
    "gx",
)


@dataclass(frozen=True)
class Computed:
    """One thing that a pass computes, as SQL or a metric's name, and the expectations that share it."""

    what: str
    shared_by: tuple[str, ...]


@dataclass(frozen=True)
class Pass:
    """One kind of pass, of ``KINDS``. A ``scan`` is one statement; of the others, each ``computes`` is one."""

    kind: str
    computes: tuple[Computed, ...]


@dataclass(frozen=True)
class Explanation:
    """A plan. ``failed`` are the expectations that can't be computed, with the reason, by name.

    ``files`` counts the data files, where their states are kept; ``known`` those that needn't be read.
    """

    passes: tuple[Pass, ...]
    failed: Mapping[str, str]
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
        return explained(evaluation(engine, data, suite, counts, suite_parameters, states=folder, watch=watch))


def explained(run: Evaluation) -> Explanation:
    """The plan of an evaluation."""
    found: dict[str, list[Computed]] = {kind: [] for kind in KINDS}
    for (kind, what), askers in run.batch.notes.items():
        found[kind].append(Computed(what, tuple(askers)))
    passes = tuple(Pass(kind, tuple(computes)) for kind, computes in found.items() if computes)
    if not isinstance(run.plan, MergedPlan):
        return Explanation(passes, run.failed)
    files, known = run.plan.known()
    return Explanation(passes, run.failed, files, known)
