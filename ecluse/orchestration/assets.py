"""The decorators that make a guarded step an ordinary Dagster asset."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import dagster as dg

from ecluse.errors import DefinitionError
from ecluse.model.names import dataset_name
from ecluse.model.step import Grain, Guard, In, StepDefinition
from ecluse.model.update import Update
from ecluse.orchestration.checks import check_specs
from ecluse.orchestration.declared import confirm, own_parameters
from ecluse.orchestration.execute import execute
from ecluse.orchestration.metadata import definition_metadata
from ecluse.orchestration.registry import Guarded, attach
from ecluse.orchestration.resources import IO_MANAGER, RESOURCE, asking_for_project
from ecluse.orchestration.updates import confirm_update, names
from ecluse.step.compute import code_version

InputSpec = str | dg.AssetDep

#: Arguments of ``dagster.asset`` that a guarded asset fills in itself.
_OURS = frozenset(
    {"key", "name", "key_prefix", "ins", "check_specs", "io_manager_key", "io_manager_def", "output_required"}
)


def asset(
    name: str,
    *,
    guard: Guard | ModuleType,
    ins: Mapping[str, InputSpec] | None = None,
    grain: Grain | None = None,
    filters: Mapping[str, str] | None = None,
    deduplicate_by: tuple[str, ...] = (),
    totals: Mapping[str, tuple[str, str]] | None = None,
    look_ups: Mapping[str, str] | None = None,
    update: Update = "replace",
    newest_by: str | tuple[str, ...] = (),
    partition_by: str | None = None,
    tracked: str | tuple[str, ...] = (),
    closes_missing: bool = False,
    coherent: bool = False,
    **dagster_arguments: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Guard a dataset that a function computes from others, as SQL or as data.

    ``ins`` maps the function's parameters to datasets; the first is the driving input, whose rows are accounted for:
    by row with ``grain="row"`` (leaving rows out needs ``filters`` or ``deduplicate_by``), by control ``totals`` with
    ``grain="group"``. ``look_ups`` maps another input to the condition by which driving rows meet it. Further
    arguments are Dagster's own, under their own names. Raises ``DefinitionError`` for a guard without contract or
    suite, inputs without a grain, or a function whose parameters are not those of ``ins``.

    ``update`` says how the rows change what is published: ``replace``, ``append``, ``merge`` (an upsert by the
    contract's key, the newest row by the columns of ``newest_by`` wins), ``partition`` (the partitions into which rows
    fall by ``partition_by``, a column or SQL expression, are replaced) or ``history`` (every version of a row is kept;
    a change in one of the ``tracked`` columns, by default in any, opens one; with ``closes_missing`` the rows are
    a full snapshot, and a key that is missing is closed).

    .. code-block:: python

        @ecluse.asset("clean.flights", ins={"raw": "raw.flights"}, guard=expectations.clean.flights, grain="row")
        def flights(raw: ecluse.Table) -> str:
            return "SELECT flight_id, dep_delay FROM raw"
    """
    inputs = dict(ins or {})

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        definition = StepDefinition(
            name=dataset_name(name),
            guard=Guard.of(guard, name),
            kind="asset",
            compute=function,
            ins=tuple(In(param, _dataset(found)) for param, found in inputs.items()),
            grain=grain,
            update=update,
            newest_by=names(newest_by),
            partition_by=partition_by,
            tracked=names(tracked),
            closes_missing=closes_missing,
            filters=dict(filters or {}),
            deduplicate_by=tuple(deduplicate_by),
            totals=dict(totals or {}),
            look_ups=dict(look_ups or {}),
            coherent=coherent,
            description=inspect.getdoc(function) or "",
        )
        return _build(definition, list(inputs.values()), dagster_arguments)

    return decorate


def source(
    name: str,
    *,
    guard: Guard | ModuleType,
    update: Update = "replace",
    newest_by: str | tuple[str, ...] = (),
    partition_by: str | None = None,
    **dagster_arguments: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Guard a dataset that is collected from files or a database.

    The function says where the data is: it returns ``ecluse.Files`` or ``ecluse.DatabaseQuery``, and takes
    ``partition`` where the source is partitioned. ``update``, ``newest_by`` and ``partition_by`` are those of
    ``ecluse.asset``. Further arguments are Dagster's own.

    .. code-block:: python

        @ecluse.source("raw.flights", guard=expectations.raw.flights, partitions_def=monthly)
        def flights(partition: str) -> ecluse.Files:
            return ecluse.Files(f"inbox/flights-{partition}.csv", null=("NA",))
    """

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        definition = StepDefinition(
            name=dataset_name(name),
            guard=Guard.of(guard, name),
            kind="source",
            compute=function,
            update=update,
            newest_by=names(newest_by),
            partition_by=partition_by,
            description=inspect.getdoc(function) or "",
        )
        return _build(definition, [], dagster_arguments)

    return decorate


def _build(
    definition: StepDefinition, inputs: list[InputSpec], dagster_arguments: dict[str, Any]
) -> dg.AssetsDefinition:
    confirm(definition)
    confirm_update(definition, dagster_arguments)
    if taken := sorted(_OURS & set(dagster_arguments)):
        raise DefinitionError("orchestration.own_argument", dataset=definition.name, arguments=", ".join(taken))
    required = dagster_arguments.pop("required_resource_keys", None) or ()
    own, required = asking_for_project(definition.compute, own_parameters(definition), required)

    def compute(context: dg.AssetExecutionContext, **arguments: Any) -> Iterator[Any]:
        arguments.pop(RESOURCE, None)
        yield from execute(context, definition, arguments)

    compute.__name__ = definition.name.replace(".", "__")
    compute.__doc__ = definition.description
    compute.__module__ = definition.compute.__module__
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=dg.AssetExecutionContext)
    # NOTE: Dagster finds resources and config by a function's signature: it sees the user's own parameters here.
    compute.__signature__ = inspect.Signature([context, *own])  # type: ignore[attr-defined]
    key = dg.AssetKey(definition.name.split("."))
    attach(compute, Guarded(key, definition))
    arguments = {
        "group_name": definition.name.split(".", maxsplit=1)[0],
        "description": definition.description,
        "kinds": {"iceberg", "duckdb"},
        "code_version": code_version(definition, None)[:12],
        **dagster_arguments,
    }
    # NOTE: assets that a step waits for without reading them as inputs (a model reads through the door).
    further = arguments.pop("deps", None) or ()
    arguments["metadata"] = {**definition_metadata(definition), **(dagster_arguments.get("metadata") or {})}
    arguments["required_resource_keys"] = required
    built = dg.asset(
        key=key,
        deps=[*(dg.AssetDep(dg.AssetKey(i.split("."))) if isinstance(i, str) else i for i in inputs), *further],
        check_specs=check_specs(definition),
        io_manager_key=IO_MANAGER,
        # NOTE: a dry run, and nothing else, ends without a materialisation.
        output_required=False,
        **arguments,
    )
    found: dg.AssetsDefinition = built(compute)
    return found


def _dataset(found: InputSpec) -> str:
    return dataset_name(found if isinstance(found, str) else ".".join(found.asset_key.path))
