"""Carries out a guarded step inside a Dagster run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import dagster as dg

from ecluse.errors import DataError, DefinitionError, EcluseError, IntegrityError, LedgerError, Refused, SourceError
from ecluse.lineage.namespaces import run_uuid
from ecluse.model.step import StepDefinition
from ecluse.orchestration.checks import check_results
from ecluse.orchestration.metadata import step_metadata
from ecluse.orchestration.resources import RESOURCE
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest, StepResult

#: Run tags by which a run says how its steps go.
DRY_RUN_TAG, FORCE_TAG = "ecluse/dry_run", "ecluse/force"

#: Who wants to see each step's result as it ends (the command line's table and progress bar).
on_result: ContextVar[Callable[[StepResult], None] | None] = ContextVar("on_result", default=None)

#: Errors that come again however often a step is tried: bad data and bad code, not a bad moment.
_LASTING = (DataError, DefinitionError, IntegrityError, LedgerError, Refused, SourceError)
#: Errors about a source that may be over at another moment.
_PASSING = ("sources.changed", "sources.database", "sources.unreadable")


def execute(
    context: dg.AssetExecutionContext, definition: StepDefinition, arguments: Mapping[str, Any]
) -> Iterator[Any]:
    """Run the step; yield its checks, then its materialisation; fail where it was blocked.

    A blocked step yields every check before it fails, and materialises nothing.
    """
    try:
        request = replace(
            step_request(context, definition),
            input_partitions=input_partitions(context, definition),
            arguments={**arguments, "context": context},
            settings=context.op_execution_context.op_config,
            resources=bool(set(context.op_def.required_resource_keys) - {RESOURCE}),
        )
        with context.resources.ecluse.opened() as services:
            result = run_step(definition, request, services)
    except EcluseError as error:
        # NOTE: Dagster would keep the error behind ours too, and that may quote a value of the data.
        raise failure(error) from None
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
    lasting = isinstance(error, _LASTING) and error.key not in _PASSING
    return dg.Failure(description=str(error), allow_retries=not lasting)


def step_request(context: dg.AssetExecutionContext, definition: StepDefinition) -> StepRequest:
    """What a Dagster run asks of a step. Its attempts are one run of ours: the next takes over from one that died."""
    partition = _partition(context, definition)
    return StepRequest(
        run_id=run_uuid(context.run.run_id, definition.name, partition),
        partition=partition,
        attempt=context.op_execution_context.retry_number + 1,
        dagster_run_id=context.run.run_id,
        dry_run=DRY_RUN_TAG in context.run.tags,
        force=FORCE_TAG in context.run.tags,
    )


def _partition(context: dg.AssetExecutionContext, definition: StepDefinition) -> str | None:
    """The partition to make: none for an asset without partitions, also in a run that is about one."""
    if context.assets_def.partitions_def is None:
        return None
    if not context.has_partition_key:
        raise DefinitionError("orchestration.partition_range", dataset=definition.name)
    return str(context.partition_key)


def input_partitions(context: dg.AssetExecutionContext, definition: StepDefinition) -> dict[str, frozenset[str]]:
    """Which partitions of each partitioned input belong to the partition in hand, by Dagster's partition mapping."""
    if context.assets_def.partitions_def is None:
        return {}
    names = {key: name for name, key in context.assets_def.keys_by_input_name.items()}
    layer = context.job_def.asset_layer
    found = {}
    for wanted in definition.ins:
        key = dg.AssetKey(wanted.dataset.split("."))
        if key in names and layer.has(key) and layer.get(key).is_partitioned:
            found[wanted.param] = frozenset(context.asset_partition_keys_for_input(names[key]))
    return found
