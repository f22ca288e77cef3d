"""Guards assets of an ordinary Dagster project that knows nothing of Écluse, without rewriting them."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import dagster as dg

from ecluse.errors import DefinitionError
from ecluse.model.names import dataset_name
from ecluse.model.step import Guard, StepDefinition
from ecluse.orchestration.adopted import Adopted, carry_out
from ecluse.orchestration.checks import check_specs
from ecluse.orchestration.declared import confirm_plain
from ecluse.orchestration.metadata import definition_metadata
from ecluse.orchestration.registry import Guarded, attach, guarded_outputs
from ecluse.orchestration.resources import RESOURCE, asking_for_project

Read = Callable[[dg.AssetExecutionContext], Any]
Guards = Guard | ModuleType | Mapping[str, Guard | ModuleType]


def guard(
    asset: dg.AssetsDefinition, guard: Guards, *, read: Read | Mapping[str, Read] | None = None
) -> dg.AssetsDefinition:
    """The same asset, guarded; its name, inputs, resources, config, partitions and IO manager stay as they are.

    An output that is a frame, an Arrow table or a DuckDB relation is *locked*: it goes through the whole guarded step,
    and only rows that pass reach the asset's own IO manager. An asset that writes by itself is *observed*: after the
    write, ``read(context)`` gives its data, which is checked and shown. For a ``multi_asset``, ``guard`` (and
    ``read``) map keys, joined by dots, to guards; keys that aren't named stay unguarded.

    A dataset is named after its key (``raw.orders`` for ``["raw", "orders"]``; a key of one part gets ``default.``).
    """
    found: object = asset
    if not isinstance(found, dg.AssetsDefinition) or not asset.is_executable:
        raise DefinitionError("orchestration.guard_target", found=type(asset).__name__)
    function = getattr(getattr(asset.node_def, "compute_fn", None), "decorated_fn", None)
    if function is None:
        raise DefinitionError("orchestration.guard_target", found=str(asset.node_def))
    if guarded_outputs([asset]):
        raise DefinitionError("orchestration.guard_target", found="an asset that is guarded already")
    confirm_plain(function, ", ".join(".".join(key.path) for key in asset.keys), may_yield=True)
    adopted = _adopted(asset, guard, read, function)
    return _rebuilt(asset, function, adopted)


def _adopted(
    asset: dg.AssetsDefinition, guards: Guards, read: Read | Mapping[str, Read] | None, function: Callable[..., Any]
) -> dict[dg.AssetKey, Adopted]:
    keys = {".".join(key.path): key for key in asset.keys}
    if not isinstance(guards, Mapping):
        if len(keys) != 1:
            raise DefinitionError("orchestration.guard_keys", unknown="(one guard for all)", known=", ".join(keys))
        guards = dict.fromkeys(keys, guards)
    if unknown := sorted(set(guards) - set(keys)):
        raise DefinitionError("orchestration.guard_keys", unknown=", ".join(unknown), known=", ".join(sorted(keys)))
    found = {}
    for name, given in guards.items():
        key = keys[name]
        dataset = dataset_name(name if "." in name else f"default.{name}")
        definition = StepDefinition(
            name=dataset,
            guard=Guard.of(given, dataset),
            kind="asset",
            compute=function,
            description=asset.specs_by_key[key].description or "",
        )
        reader = read.get(name) if isinstance(read, Mapping) else read
        out = asset.op.output_def_named(asset.get_output_name_for_asset_key(key))
        found[key] = Adopted(key, definition, reader, out.is_required)
    return found


def _rebuilt(
    asset: dg.AssetsDefinition, function: Callable[..., Any], adopted: Mapping[dg.AssetKey, Adopted]
) -> dg.AssetsDefinition:
    op = asset.op
    outputs = asset.keys_by_output_name
    own_checks = list(asset.check_specs)

    @functools.wraps(function)
    def compute(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop(RESOURCE, None)
        yield from carry_out(function(*args, **kwargs), outputs, adopted, own_checks)

    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    # NOTE: Dagster resolves annotations by the wrapper's module, so they are resolved here, where they were written.
    parameters = [p.replace(annotation=hints.get(p.name, p.annotation)) for p in signature.parameters.values()]
    parameters, required = asking_for_project(function, parameters, op.required_resource_keys)
    compute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    compute.__annotations__ = {}
    attach(compute, *(Guarded(a.key, a.definition, publishes=a.read is None) for a in adopted.values()))
    specs = asset.specs_by_key
    deps = {key: {d.asset_key: d for d in spec.deps} for key, spec in specs.items()}
    taken = set(signature.parameters)
    ins = {
        name: dg.AssetIn(key=key, partition_mapping=_mapping(deps, key))
        for name, key in asset.keys_by_input_name.items()
        if name in taken
    }
    rest = {
        key: dg.AssetDep(key, partition_mapping=_mapping(deps, key))
        for name, key in asset.keys_by_input_name.items()
        if name not in taken
    }
    built = dg.multi_asset(
        name=op.name,
        outs={name: _out(specs[key], op, name, adopted) for name, key in outputs.items()},
        ins=ins,
        deps=list(rest.values()),
        required_resource_keys=required,
        partitions_def=asset.partitions_def,
        backfill_policy=asset.backfill_policy,
        op_tags=dict(op.tags),
        retry_policy=op.retry_policy,
        can_subset=asset.can_subset,
        check_specs=[
            *own_checks,
            *(_spec(s, a.key) for a in adopted.values() for s in check_specs(a.definition)),
        ],
        config_schema=None if "config" in taken else _config_fields(op),
        internal_asset_deps=_internal(asset),
        pool=op.pool,
    )
    found: dg.AssetsDefinition = built(compute)
    return found


def _out(spec: dg.AssetSpec, op: dg.OpDefinition, name: str, adopted: Mapping[dg.AssetKey, Adopted]) -> dg.AssetOut:
    out = op.output_def_named(name)
    extra = definition_metadata(adopted[spec.key].definition) if spec.key in adopted else {}
    return dg.AssetOut.from_spec(
        spec.replace_attributes(metadata={**extra, **spec.metadata}, deps=[]),
        io_manager_key=out.io_manager_key,
        dagster_type=out.dagster_type,
        # NOTE: a dry run ends without the guarded outputs; that none is forgotten is seen when they are carried out.
        is_required=out.is_required and spec.key not in adopted,
    )


def _spec(spec: dg.AssetCheckSpec, key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        spec.name, asset=key, description=spec.description, metadata=dict(spec.metadata), blocking=True
    )


def _config_fields(op: dg.OpDefinition) -> dict[str, Any] | None:
    """The fields of a config schema that the asset declares by itself; ``None`` where it declares none."""
    declared = getattr(op.config_schema, "config_type", None)
    return dict(getattr(declared, "fields", None) or {}) or None


def _internal(asset: dg.AssetsDefinition) -> dict[str, set[dg.AssetKey]]:
    """What each output is made from, where the asset says more than that all are made from all inputs."""
    deps = {
        name: {d.asset_key for d in asset.specs_by_key[key].deps} for name, key in asset.keys_by_output_name.items()
    }
    return deps if len({frozenset(found) for found in deps.values()}) > 1 else {}


def _mapping(deps: Mapping[dg.AssetKey, Mapping[dg.AssetKey, dg.AssetDep]], key: dg.AssetKey) -> Any:
    return next((d[key].partition_mapping for d in deps.values() if key in d), None)
