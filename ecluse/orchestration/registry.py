"""Finds the step definition behind a Dagster asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import dagster as dg

from ecluse.model.step import StepDefinition

_ATTRIBUTE = "ecluse_definition"


def attach(function: Callable[..., Any], definition: StepDefinition) -> None:
    """Leave a definition on the function that Dagster runs, where it survives every copy of the asset."""
    setattr(function, _ATTRIBUTE, definition)


def step_definition(asset: dg.AssetsDefinition) -> StepDefinition | None:
    """The step behind a guarded asset; ``None`` for any other asset."""
    node = getattr(asset, "node_def", None) if asset.is_executable else None
    function = getattr(getattr(node, "compute_fn", None), "decorated_fn", None)
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, StepDefinition) else None


def step_definitions(assets: Iterable[object]) -> dict[str, StepDefinition]:
    """All guarded steps among some assets, by dataset name."""
    found = [step_definition(a) for a in assets if isinstance(a, dg.AssetsDefinition)]
    return {d.name: d for d in found if d is not None}
