"""Runs a project's assets as a Dagster run on the configured instance, for the command line and scripts."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from ecluse.errors import DefinitionError
from ecluse.model.step import StepDefinition
from ecluse.orchestration.execute import DRY_RUN_TAG, FORCE_TAG, on_result
from ecluse.orchestration.outbox import hand_on
from ecluse.orchestration.registry import guarded_outputs, step_definitions
from ecluse.project import Project
from ecluse.step.state import StepResult

MODULE = "pipelines.definitions"
#: Up to this many partition keys are listed in full.
_LISTED = 24


@dataclass(frozen=True)
class RunReport:
    """What a run did: its id, whether all of it went well, each step's result in order, each failure's text."""

    run_id: str
    success: bool
    results: tuple[StepResult, ...]
    failures: dict[str, str]


def load_definitions(project: Project) -> dg.Definitions:
    """The Dagster definitions of a project, ``defs`` in its ``pipelines/definitions.py``."""
    root = str(project.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    # NOTE: assets find their project the way everything does; the one that was asked for comes first.
    os.environ["ECLUSE_PROJECT"] = root
    os.environ["ECLUSE_PROFILE"] = project.profile
    try:
        found = importlib.import_module(MODULE).defs
    except (ImportError, AttributeError) as error:
        raise DefinitionError("orchestration.no_definitions", module=MODULE, error=error) from error
    assert isinstance(found, dg.Definitions)
    return found


def load_steps(project: Project) -> dict[str, StepDefinition]:
    """The guarded steps of a project, by dataset name."""
    return step_definitions(load_definitions(project).assets or ())


@contextmanager
def dagster_instance(project: Project, *, kept: bool = True) -> Iterator[dg.DagsterInstance]:
    """The project's configured instance (``DAGSTER_HOME``, else ``dagster_home/``), or one that forgets."""
    if not kept:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    home = project.root / "dagster_home"
    home.mkdir(exist_ok=True)
    os.environ.setdefault("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        yield instance


def run(
    project: Project,
    selection: Sequence[str],
    *,
    partition: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    tell: Callable[[StepResult], None] | None = None,
) -> RunReport:
    """Materialise some datasets (a leading ``+`` on a name takes its upstream too) in one Dagster run.

    A dry run publishes nothing and leaves no trace on the instance; assets that aren't guarded, or that write by
    themselves, take no part in it. ``tell`` hears each step's result as it ends.
    """
    defs = load_definitions(project)
    keys = resolve(defs, selection)
    if dry_run:
        keys = _without_plain(defs, keys)
    check_partition(defs, keys, partition)
    tags = ({DRY_RUN_TAG: "true"} if dry_run else {}) | ({FORCE_TAG: "true"} if force else {})
    results: list[StepResult] = []

    def heard(result: StepResult) -> None:
        results.append(result)
        if tell is not None:
            tell(result)

    token = on_result.set(heard)
    try:
        with dagster_instance(project, kept=not dry_run) as instance:
            done = defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=keys,
                partition_key=partition,
                tags=tags,
                # Dagster's lines go to its event log; on the terminal stands what ``tell`` says.
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
    finally:
        on_result.reset(token)
    if not dry_run:
        hand_on(project)
    return RunReport(done.run_id, done.success, tuple(results), _failures(done))


def resolve(defs: dg.Definitions, selection: Sequence[str]) -> list[dg.AssetKey]:
    """Dataset names as asset keys; ``DefinitionError`` names what is unknown."""
    graph = defs.resolve_asset_graph()
    known = {".".join(key.path): key for key in graph.materializable_asset_keys}
    chosen: set[dg.AssetKey] = set()
    for name in selection or sorted(known):
        key = known.get(name.removeprefix("+"))
        if key is None:
            raise DefinitionError("orchestration.unknown_asset", name=name, known=", ".join(sorted(known)))
        chosen.add(key)
        if name.startswith("+"):
            chosen |= dg.AssetSelection.assets(key).upstream().resolve(graph) & set(known.values())
    return sorted(chosen)


def _without_plain(defs: dg.Definitions, keys: Sequence[dg.AssetKey]) -> list[dg.AssetKey]:
    """The assets that can be tried without storing anything."""
    lockable = {found.key for found in guarded_outputs(defs.assets or ()) if found.publishes}
    if not (found := [key for key in keys if key in lockable]):
        raise DefinitionError("orchestration.dry_run", names=", ".join(".".join(k.path) for k in keys))
    return found


def partitions(defs: dg.Definitions, keys: Sequence[dg.AssetKey]) -> list[str]:
    """The partition keys of the first partitioned asset among some; empty where none is."""
    graph = defs.resolve_asset_graph()
    for key in keys:
        found = graph.get(key).partitions_def
        if found is not None:
            return list(found.get_partition_keys())
    return []


def check_partition(defs: dg.Definitions, keys: Sequence[dg.AssetKey], partition: str | None) -> None:
    """Raise ``DefinitionError`` where a partition is needed and missing, or unknown."""
    known = partitions(defs, keys)
    names = ", ".join(".".join(k.path) for k in keys)
    if known and partition is None:
        raise DefinitionError("orchestration.needs_partition", dataset=names, known=_listed(known))
    if partition is not None and not known:
        raise DefinitionError("orchestration.not_partitioned", dataset=names, partition=partition)
    if partition is not None and partition not in known:
        raise DefinitionError(
            "orchestration.unknown_partition", dataset=names, partition=partition, known=_listed(known)
        )


def _listed(known: Sequence[str]) -> str:
    """Partition keys in one line: of many, such as the days of years, the first and the last."""
    few = known if len(known) <= _LISTED else [*known[:3], "…", *known[-3:]]
    return ", ".join(few)


def _failures(done: dg.ExecuteInProcessResult) -> dict[str, str]:
    found = {}
    for event in done.get_step_failure_events():
        data = event.step_failure_data
        said = data.user_failure_data.description if data.user_failure_data else None
        error = data.error
        while error is not None and error.cause is not None:
            # NOTE: the outermost error only says that a step failed.
            error = error.cause
        found[str(event.step_key).replace("__", ".")] = said or (error.message.strip() if error else "")
    return found
