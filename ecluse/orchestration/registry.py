"""Finds the step definitions behind Dagster assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ecluse.model.step import StepDefinition

_ATTRIBUTE = "ecluse_guarded"


@dataclass(frozen=True)
class Guarded:
    """One guarded output of an asset: its key and its step.

    ``publishes`` is false for an asset that writes by itself: its dataset is never in the warehouse.
    """

    key: dg.AssetKey
    definition: StepDefinition
    publishes: bool = True


def attach(function: Callable[..., Any], *guarded: Guarded) -> None:
    """Leave what is guarded on the function that Dagster runs, where it survives every copy of the asset."""
    setattr(function, _ATTRIBUTE, guarded)


def guarded_outputs(assets: Iterable[object]) -> list[Guarded]:
    """Every guarded output of some assets."""
    return [found for asset in assets if isinstance(asset, dg.AssetsDefinition) for found in _of(asset)]


def step_definition(asset: dg.AssetsDefinition) -> StepDefinition | None:
    """The step behind an asset with one guarded output; ``None`` for any other asset."""
    found = _of(asset)
    return found[0].definition if len(found) == 1 else None


def step_definitions(assets: Iterable[object]) -> dict[str, StepDefinition]:
    """All steps among some assets that publish, by dataset name."""
    return {found.definition.name: found.definition for found in guarded_outputs(assets) if found.publishes}


def _of(asset: dg.AssetsDefinition) -> tuple[Guarded, ...]:
    node = asset.node_def if asset.is_executable else None
    function = getattr(getattr(node, "compute_fn", None), "decorated_fn", None)
    found: tuple[Guarded, ...] = getattr(function, _ATTRIBUTE, ())
    return found
