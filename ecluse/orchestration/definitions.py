"""Puts guarded assets together as one Dagster code location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import dagster as dg

from ecluse.errors import DefinitionError
from ecluse.orchestration.checks import published_checks
from ecluse.orchestration.outbox import outbox_sensor
from ecluse.orchestration.registry import guarded_outputs
from ecluse.orchestration.resources import IO_MANAGER, RESOURCE, EcluseResource, PublishedIOManager


def definitions(
    *,
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec | ModuleType],
    resources: Mapping[str, Any] | None = None,
    asset_checks: Sequence[dg.AssetChecksDefinition] = (),
    sensors: Sequence[dg.SensorDefinition] = (),
    executor: dg.ExecutorDefinition | None = None,
    **dagster_arguments: Any,
) -> dg.Definitions:
    """Dagster's ``Definitions`` of guarded and plain assets, given as assets or as modules that hold them.

    Adds what guarded assets need: the project as a resource, the IO manager, a scheduled check of what is published
    for each guarded dataset, a sensor that hands lineage on, and the in-process executor, which starts a step without
    importing everything again.
    A cycle among the assets, or a dataset that two assets make, is a ``DefinitionError``.
    """
    found = list(_flat(assets))
    guarded = [g for g in guarded_outputs(found) if g.publishes]
    given = dict(resources or {})
    given.setdefault(RESOURCE, EcluseResource())
    own = given[RESOURCE]
    given.setdefault(IO_MANAGER, PublishedIOManager(project=own.project, profile=own.profile))
    _no_cycle({g.definition.name: [i.dataset for i in g.definition.ins] for g in guarded})
    return dg.Definitions(
        assets=found,
        asset_checks=[*asset_checks, *(published_checks(g.definition, g.key) for g in guarded)],
        sensors=[*sensors, outbox_sensor(own)],
        resources=given,
        executor=executor or dg.in_process_executor,
        **dagster_arguments,
    )


def _flat(assets: Iterable[object]) -> Iterable[Any]:
    """The assets, each once: a module also shows those that it imports."""
    made: dict[dg.AssetKey, object] = {}
    for found in assets:
        members = dg.load_assets_from_modules([found]) if isinstance(found, ModuleType) else [found]
        for member in members:
            keys = getattr(member, "keys", ())
            if keys and all(key in made and _same(made[key], member) for key in keys):
                continue
            for key in keys:
                if key in made:
                    raise DefinitionError("orchestration.twice", dataset=".".join(key.path))
                made[key] = member
            yield member


def _same(one: object, other: object) -> bool:
    """Whether two objects are one asset: what Dagster takes from a module are copies that share their function."""
    function = getattr(one, "is_executable", False) and getattr(other, "is_executable", False)
    return one is other or bool(function and one.node_def is other.node_def)  # type: ignore[attr-defined]


def _no_cycle(inputs: Mapping[str, Sequence[str]]) -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " → ".join((*path[path.index(name) :], name))
            raise DefinitionError("orchestration.cycle", cycle=cycle)
        if name in done:
            return
        for upstream in inputs.get(name, ()):
            visit(upstream, (*path, name))
        done.add(name)

    for name in inputs:
        visit(name, ())
