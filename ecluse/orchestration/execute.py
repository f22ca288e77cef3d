"""Carries out a guarded step inside a Dagster run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import dagster as dg

from ecluse.errors import DataError, DefinitionError, EcluseError, Refused, SourceError
from ecluse.model.step import StepDefinition
from ecluse.orchestration.checks import check_results
from ecluse.orchestration.metadata import step_metadata
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest, StepResult

#: Run tags by which a run says how its steps go.
DRY_RUN_TAG, FORCE_TAG = "ecluse/dry_run", "ecluse/force"

#: Who wants to see each step's result as it ends (the command line's table and progress bar).
on_result: ContextVar[Callable[[StepResult], None] | None] = ContextVar("on_result", default=None)

#: Errors that come again however often a step is tried: bad data and bad code, not a bad moment.
_LASTING = (DataError, DefinitionError, SourceError, Refused)


def execute(
    context: dg.AssetExecutionContext, definition: StepDefinition, arguments: Mapping[str, Any]
) -> Iterator[Any]:
    """Run the step; yield its checks, then its materialisation; fail where it was blocked.

    A blocked step yields every check before it fails, and materialises nothing.
    """
    request = StepRequest(
        run_id=str(uuid.uuid4()),
        partition=context.partition_key if context.has_partition_key else None,
        attempt=context.op_execution_context.retry_number + 1,
        dagster_run_id=context.run.run_id,
        input_partitions=input_partitions(context, definition),
        arguments=arguments | ({"context": context}),
        dry_run=DRY_RUN_TAG in context.run.tags,
        force=FORCE_TAG in context.run.tags,
    )
    with context.resources.ecluse.opened() as services:
        try:
            result = run_step(definition, request, services)
        except EcluseError as error:
            raise failure(error) from error
    tell = on_result.get()
    if tell is not None:
        tell(result)
    yield from check_results(definition, result.checks)
    if result.ending is Ending.BLOCKED:
        reasons = "\n".join(f"- {b.text()}" for b in result.blocks)
        raise dg.Failure(
            description=f"{definition.name}: not published.\n{reasons}",
            metadata={"branch": result.branch or "–", "reasons": dg.MarkdownMetadataValue(reasons)},
            allow_retries=False,
        )
    if result.published:
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(definition.name.split(".")),
            metadata=step_metadata(definition, result),
            data_version=dg.DataVersion(result.data_version) if result.data_version else None,
        )


def failure(error: EcluseError) -> dg.Failure:
    """An error of ours as Dagster's failure, retried only where another moment may help."""
    return dg.Failure(description=str(error), allow_retries=not isinstance(error, _LASTING))


def input_partitions(
    context: dg.AssetExecutionContext, definition: StepDefinition
) -> dict[str, frozenset[str]]:
    """Which partitions of each partitioned input belong to the partition in hand, by Dagster's partition mapping."""
    if not context.has_partition_key:
        return {}
    names = {key: name for name, key in context.assets_def.keys_by_input_name.items()}
    layer = context.job_def.asset_layer
    found = {}
    for wanted in definition.ins:
        key = dg.AssetKey(wanted.dataset.split("."))
        if key in names and layer.has(key) and layer.get(key).is_partitioned:
            found[wanted.param] = frozenset(context.asset_partition_keys_for_input(names[key]))
    return found
