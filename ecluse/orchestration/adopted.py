"""Carries out an adopted asset: what it gives is checked before its own IO manager stores it, or after it wrote."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from ecluse.errors import DefinitionError, EcluseError
from ecluse.model.outcome import Scope
from ecluse.model.step import StepDefinition
from ecluse.orchestration.checks import check_results, suite_of
from ecluse.orchestration.execute import DRY_RUN_TAG, failure, on_result
from ecluse.orchestration.metadata import step_metadata
from ecluse.orchestration.resources import RESOURCE
from ecluse.step.run import run_step
from ecluse.step.services import Services
from ecluse.step.state import Ending, StepRequest, StepResult


@dataclass(frozen=True)
class Adopted:
    """One guarded output of an asset that isn't Écluse's own."""

    key: dg.AssetKey
    definition: StepDefinition
    read: Callable[[dg.AssetExecutionContext], Any] | None


def carry_out(
    given: Any, outputs: Mapping[str, dg.AssetKey], adopted: Mapping[dg.AssetKey, Adopted]
) -> Iterator[Any]:
    """Everything that the asset's function gave, each guarded output checked on its way."""
    context = dg.AssetExecutionContext.get()
    for item in _items(given, outputs):
        key = _key(item, outputs)
        guarded = adopted.get(key) if key is not None else None
        if guarded is None:
            yield item
        elif is_data(_value(item)):
            yield from _locked(context, guarded, item)
        else:
            yield from _observed(context, guarded, item)


def is_data(value: Any) -> bool:
    """Whether a value is a frame, an Arrow table or a DuckDB relation."""
    module, name = type(value).__module__.split(".")[0].strip("_"), type(value).__name__
    return (module, name) in {
        ("pandas", "DataFrame"),
        ("polars", "DataFrame"),
        ("polars", "LazyFrame"),
        ("pyarrow", "Table"),
        ("pyarrow", "RecordBatchReader"),
        ("duckdb", "DuckDBPyRelation"),
    }


def _items(given: Any, outputs: Mapping[str, dg.AssetKey]) -> Iterator[Any]:
    """What a function gave, as Dagster's output objects."""
    if isinstance(given, Generator):
        yield from given
        return
    names = list(outputs)
    values = list(given) if isinstance(given, tuple) and len(names) > 1 else [given]
    for name, value in zip(names, values, strict=False):
        if isinstance(value, (dg.Output, dg.MaterializeResult, dg.AssetCheckResult, dg.ObserveResult)):
            yield value
        else:
            yield dg.Output(value, output_name=name)


def _key(item: Any, outputs: Mapping[str, dg.AssetKey]) -> dg.AssetKey | None:
    if isinstance(item, dg.Output):
        return outputs.get(item.output_name)
    if isinstance(item, dg.MaterializeResult):
        return item.asset_key or (next(iter(outputs.values())) if len(outputs) == 1 else None)
    return None


def _value(item: Any) -> Any:
    return item.value if isinstance(item, (dg.Output, dg.MaterializeResult)) else None


def _locked(context: dg.AssetExecutionContext, adopted: Adopted, item: Any) -> Iterator[Any]:
    """The whole guarded step on a returned value; what passed goes on to the asset's own IO manager."""
    value = _value(item)
    if type(value).__name__ == "RecordBatchReader":
        value = value.read_all()

    @functools.wraps(adopted.definition.compute)
    def give(**_: Any) -> Any:
        return value

    give.__annotations__ = {}
    definition = replace(adopted.definition, compute=give)
    request = StepRequest(
        run_id=str(uuid.uuid4()),
        partition=context.partition_key if context.has_partition_key else None,
        attempt=context.op_execution_context.retry_number + 1,
        dagster_run_id=context.run.run_id,
        dry_run=DRY_RUN_TAG in context.run.tags,
    )
    with getattr(context.resources, RESOURCE).opened() as services:
        try:
            result = run_step(definition, request, services)
            passed = _passed(services, result, value) if result.published and result.quarantined else value
        except EcluseError as error:
            raise failure(error) from error
    if (tell := on_result.get()) is not None:
        tell(result)
    for found in check_results(definition, result.checks):
        yield _about(found, adopted.key)
    if result.ending is Ending.BLOCKED:
        reasons = "\n".join(f"- {b.text()}" for b in result.blocks)
        raise dg.Failure(description=f"{definition.name}: not published.\n{reasons}", allow_retries=False)
    metadata = {**step_metadata(definition, result), **(item.metadata or {})}
    if isinstance(item, dg.Output):
        yield dg.Output(passed, output_name=item.output_name, metadata=metadata)
    else:
        yield item._replace(value=passed, metadata=metadata)


def _observed(context: dg.AssetExecutionContext, adopted: Adopted, item: Any) -> Iterator[Any]:
    """Checks on what an asset wrote by itself: shown after the write, and blocking downstream in the same run."""
    from ecluse.quality import check
    from ecluse.step.compute import data_view

    yield item
    if adopted.read is None:
        raise dg.Failure(
            description=str(DefinitionError("orchestration.guard_read", dataset=adopted.definition.name)),
            allow_retries=False,
        )
    found = adopted.read(context)
    with getattr(context.resources, RESOURCE).opened() as services, services.engine() as engine:
        try:
            view = _file_view(found) if isinstance(found, str) or hasattr(found, "__fspath__") else None
            table = view or data_view(engine, found, adopted.definition.name)
            checked = check(
                engine,
                suite_of(adopted.definition),
                dict.fromkeys(Scope, table),
                data_now=services.project.data_now(),
            )
        except EcluseError as error:
            raise failure(error) from error
    asked = {p.name for p in suite_of(adopted.definition).promises if p.scope is not Scope.PUBLISHED}
    for result in check_results(adopted.definition, tuple(r for r in checked.results if r.name in asked)):
        yield _about(result, adopted.key)


def _file_view(path: Any) -> str:
    from ecluse.engine import literal

    reader = "read_csv" if str(path).endswith((".csv", ".csv.gz")) else "read_parquet"
    return f"(SELECT * FROM {reader}({literal(str(path))}))"


def _passed(services: Services, result: StepResult, like: Any) -> Any:
    """The published rows of this step, as the kind of data that the asset gave."""
    assert result.snapshot_id is not None
    partitions = None if result.partition is None else {result.partition}
    with services.engine() as engine:
        table = engine.arrow(f"SELECT * FROM {services.warehouse.scan(result.dataset, result.snapshot_id, partitions)}")
    module = type(like).__module__.split(".")[0].strip("_")
    if module == "pandas":
        return table.to_pandas()
    if module == "polars":
        import polars

        frame = polars.from_arrow(table)
        assert isinstance(frame, polars.DataFrame)
        return frame.lazy() if type(like).__name__ == "LazyFrame" else frame
    return table


def _about(result: dg.AssetCheckResult, key: dg.AssetKey) -> dg.AssetCheckResult:
    return result._replace(asset_key=key)
