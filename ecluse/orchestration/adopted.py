"""Carries out an adopted asset: what it gives is checked before its own IO manager stores it, or after it wrote."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from ecluse.engine import relation_of
from ecluse.errors import DefinitionError, EcluseError
from ecluse.model.outcome import Scope
from ecluse.model.step import StepDefinition
from ecluse.orchestration.checks import check_results, suite_of
from ecluse.orchestration.execute import failure, on_result, step_request
from ecluse.orchestration.metadata import step_metadata
from ecluse.orchestration.resources import RESOURCE
from ecluse.step.data import data_view, kind_of_data
from ecluse.step.run import run_step
from ecluse.step.services import Services
from ecluse.step.state import Ending, StepResult


@dataclass(frozen=True)
class Adopted:
    """One guarded output of an asset that isn't Écluse's own."""

    key: dg.AssetKey
    definition: StepDefinition
    read: Callable[[dg.AssetExecutionContext], Any] | None
    required: bool = True


def carry_out(
    given: Any,
    outputs: Mapping[str, dg.AssetKey],
    adopted: Mapping[dg.AssetKey, Adopted],
    own_checks: Sequence[dg.AssetCheckSpec] = (),
) -> Iterator[Any]:
    """Everything that the asset's function gave, each guarded output checked on its way.

    ``own_checks`` are those that the asset had before: where it had one, its result needs no name.
    """
    context = dg.AssetExecutionContext.get()
    missing = {a.key for a in adopted.values() if a.required} & set(context.selected_asset_keys)
    for found in _items(given, outputs):
        item = _named(found, own_checks)
        key = _key(item, outputs)
        guarded = adopted.get(key) if key is not None else None
        missing.discard(key)
        if guarded is None:
            yield item
        elif kind_of_data(_value(item)) is not None:
            yield from _locked(context, guarded, item)
        else:
            yield from _observed(context, guarded, item)
    if missing:
        names = ", ".join(sorted(adopted[key].definition.name for key in missing))
        raise failure(DefinitionError("orchestration.guard_output", dataset=names))


def _named(item: Any, own_checks: Sequence[dg.AssetCheckSpec]) -> Any:
    """An item whose check results say which check they answer, also where there was only one before."""
    if len(own_checks) != 1:
        return item
    if isinstance(item, dg.AssetCheckResult):
        (own,) = own_checks
        return item if item.check_name else item._replace(check_name=own.name, asset_key=own.asset_key)
    if isinstance(item, dg.MaterializeResult) and item.check_results:
        return item._replace(check_results=[_named(result, own_checks) for result in item.check_results])
    return item


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
    only = next(iter(outputs.values())) if len(outputs) == 1 else None
    if isinstance(item, dg.Output):
        return outputs.get(item.output_name, only)
    if isinstance(item, dg.MaterializeResult):
        return item.asset_key or only
    return None


def _value(item: Any) -> Any:
    return item.value if isinstance(item, (dg.Output, dg.MaterializeResult)) else None


def _locked(context: dg.AssetExecutionContext, adopted: Adopted, item: Any) -> Iterator[Any]:
    """The whole guarded step on a returned value; what passed goes on to the asset's own IO manager."""
    value, streams = _value(item), kind_of_data(_value(item)) == ("pyarrow", "RecordBatchReader")
    if streams:
        value = value.read_all()

    @functools.wraps(adopted.definition.compute)
    def give(**_: Any) -> Any:
        return value

    give.__annotations__ = {}
    definition = replace(adopted.definition, compute=give)
    try:
        request = step_request(context, definition)
        with getattr(context.resources, RESOURCE).opened() as services:
            result = run_step(definition, request, services)
            passed = _passed(services, result, value) if result.published and result.quarantined else value
    except EcluseError as error:
        raise failure(error) from None
    if (tell := on_result.get()) is not None:
        tell(result)
    for found in check_results(definition, result.checks):
        yield found._replace(asset_key=adopted.key)
    if result.ending is Ending.BLOCKED:
        reasons = "\n".join(f"- {b.text()}" for b in result.blocks)
        raise dg.Failure(description=f"{definition.name}: not published.\n{reasons}", allow_retries=False)
    if not result.published:
        return
    yield dg.MaterializeResult(
        asset_key=adopted.key,
        value=passed.to_reader() if streams else passed,
        metadata={**step_metadata(definition, result), **(item.metadata or {})},
        check_results=getattr(item, "check_results", None),
        data_version=item.data_version or dg.DataVersion(str(result.data_version)),
        tags=item.tags,
    )


def _observed(context: dg.AssetExecutionContext, adopted: Adopted, item: Any) -> Iterator[Any]:
    """Checks on what an asset wrote by itself: shown after the write, and blocking downstream in the same run."""
    from ecluse.quality import check

    yield item
    if adopted.read is None:
        raise failure(DefinitionError("orchestration.guard_read", dataset=adopted.definition.name))
    found = adopted.read(context)
    suite = suite_of(adopted.definition)
    asked = replace(suite, promises=tuple(p for p in suite.promises if p.scope is not Scope.PUBLISHED))
    try:
        with getattr(context.resources, RESOURCE).opened() as services, services.engine() as engine:
            view = _file_view(found) if isinstance(found, str) or hasattr(found, "__fspath__") else None
            table = view or data_view(engine, found, adopted.definition.name)
            checked = check(engine, asked, dict.fromkeys(Scope, table), data_now=services.project.data_now())
    except EcluseError as error:
        raise failure(error) from None
    for result in check_results(adopted.definition, checked.results):
        yield result._replace(asset_key=adopted.key)


def _file_view(path: Any) -> str:
    from ecluse.engine import literal

    reader = "read_csv" if str(path).endswith((".csv", ".csv.gz")) else "read_parquet"
    return f"(SELECT * FROM {reader}({literal(str(path))}))"


def _passed(services: Services, result: StepResult, like: Any) -> Any:
    """The published rows of this step, as the kind of data, columns and types that the asset gave."""
    assert result.snapshot_id is not None
    partitions = None if result.partition is None else {result.partition}
    with services.engine() as engine:
        table = engine.arrow(f"SELECT * FROM {services.warehouse.scan(result.dataset, result.snapshot_id, partitions)}")
    match kind_of_data(like):
        case ("pandas", _):
            return table.to_pandas()[list(like.columns)].astype(like.dtypes)
        case ("polars", kind):
            import polars as pl

            frame = pl.from_arrow(table)
            assert isinstance(frame, pl.DataFrame)
            schema = like.collect_schema()
            frame = frame.select(schema.names()).cast(dict(schema))
            return frame.lazy() if kind == "LazyFrame" else frame
        case ("duckdb", _):
            return relation_of(table, like)
    return table.select(like.schema.names).cast(like.schema)
