"""Holds a definition against its function when it is declared, so that a mistake shows before anything runs."""

from __future__ import annotations

import inspect
import typing
from collections import Counter
from collections.abc import Callable
from typing import Any

import dagster as dg
from dagster._core.definitions.resource_annotation import get_resource_args

from ecluse.errors import DefinitionError
from ecluse.model.step import StepDefinition

#: Parameters that are neither inputs nor resources.
_GIVEN = frozenset({"context", "config", "partition"})


def confirm(definition: StepDefinition) -> None:
    """Raise ``DefinitionError`` where grain, names of inputs, or the function don't fit together."""
    _confirm_grain(definition)
    _confirm_names(definition)
    confirm_plain(definition.compute, definition.name)
    _confirm_parameters(definition)


def confirm_plain(function: Callable[..., Any], dataset: str, *, may_yield: bool = False) -> None:
    """Raise ``DefinitionError`` for a function that can't simply be called for its value."""
    kinds = {
        "an async function": inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        "a generator": inspect.isgeneratorfunction(function) and not may_yield,
    }
    if found := [kind for kind, is_one in kinds.items() if is_one]:
        raise DefinitionError("orchestration.function", dataset=dataset, found=found[0])


def own_parameters(definition: StepDefinition) -> list[inspect.Parameter]:
    """The function's parameters that Dagster fills: resources and config."""
    hints = typing.get_type_hints(definition.compute) if _resolves(definition.compute) else {}
    taken = {i.param for i in definition.ins} | {"context", "partition"}
    return [
        p.replace(annotation=hints.get(p.name, p.annotation))
        for p in inspect.signature(definition.compute).parameters.values()
        if p.name not in taken and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]


def _confirm_grain(definition: StepDefinition) -> None:
    name, row_only = definition.name, bool(definition.filters or definition.deduplicate_by)
    if bool(definition.ins) != (definition.grain is not None):
        raise DefinitionError("orchestration.grain" if definition.ins else "orchestration.grain_alone", dataset=name)
    if (definition.grain == "group") != bool(definition.totals) or (definition.grain != "row" and row_only):
        raise DefinitionError("orchestration.grain_laws", dataset=name, grain=definition.grain)


def _confirm_names(definition: StepDefinition) -> None:
    params = [i.param for i in definition.ins]
    # NOTE: inputs become views, whose names are one whether they are written large or small.
    repeated = {name for name, count in Counter(p.lower() for p in params).items() if count > 1}
    bad = [p for p in params if p.startswith("_") or p in _GIVEN or p.lower() in repeated]
    if bad:
        raise DefinitionError("orchestration.input_name", dataset=definition.name, names=", ".join(bad))
    datasets = Counter(i.dataset for i in definition.ins)
    if twice := [dataset for dataset, count in datasets.items() if count > 1]:
        raise DefinitionError("orchestration.input_twice", dataset=definition.name, inputs=", ".join(twice))
    if unknown := sorted(set(definition.look_ups) - set(params[1:])):
        fields = {"unknown": ", ".join(unknown), "known": ", ".join(params[1:]) or "–"}
        raise DefinitionError("orchestration.look_up", dataset=definition.name, **fields)


def _confirm_parameters(definition: StepDefinition) -> None:
    parameters = inspect.signature(definition.compute).parameters.values()
    names = {p.name for p in parameters}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    missing = [i.param for i in definition.ins if i.param not in names and not takes_any]
    resources = {argument.name for argument in get_resource_args(definition.compute)}
    unknown = [
        p.name
        for p in own_parameters(definition)
        if p.name not in _GIVEN | resources and not _is_config(p.annotation) and p.default is p.empty
    ]
    if missing or unknown:
        raise DefinitionError(
            "orchestration.parameters",
            dataset=definition.name,
            missing=", ".join(missing) or "–",
            unknown=", ".join(unknown) or "–",
        )


def _is_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, dg.Config)


def _resolves(function: Callable[..., Any]) -> bool:
    try:
        typing.get_type_hints(function)
    except NameError:
        return False
    return True
