"""Holds an update mode against the contract and the asset when it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecluse.engine import Engine, EngineError, quote, said
from ecluse.errors import DefinitionError
from ecluse.model.step import StepDefinition
from ecluse.model.update import IS_CURRENT, UPDATES, VALID_FROM, VALID_TO

#: What each mode takes beside itself: what it needs, and what it may have.
_TAKES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "replace": (frozenset(), frozenset()),
    "append": (frozenset(), frozenset()),
    "merge": (frozenset({"newest_by"}), frozenset()),
    "partition": (frozenset({"partition_by"}), frozenset()),
    "history": (frozenset(), frozenset({"tracked", "closes_missing"})),
}


def names(given: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Column names, of which one may be given as it is."""
    return (given,) if isinstance(given, str) else tuple(given)


def confirm_update(definition: StepDefinition, dagster_arguments: Mapping[str, Any]) -> None:
    """Raise ``DefinitionError`` where the update mode and what it is declared with don't fit."""
    name, update = definition.name, definition.update
    if update not in UPDATES:
        raise DefinitionError("orchestration.update", dataset=name, update=update, known=", ".join(UPDATES))
    given = {key for key, value in definition.updating.items() if key != "mode" and value}
    needed, allowed = _TAKES[update]
    if given - needed - allowed or needed - given:
        raise DefinitionError(
            "orchestration.update_arguments",
            dataset=name,
            update=update,
            given=", ".join(sorted(given)) or "–",
            needed=", ".join(sorted(needed)) or "–",
            allowed=", ".join(sorted(allowed)) or "–",
        )
    if update == "merge":
        _confirm_merge(definition)
    elif update == "history":
        _confirm_history(definition)
    elif update == "partition":
        if dagster_arguments.get("partitions_def") is not None:
            raise DefinitionError("orchestration.update_partitions", dataset=name)
        _confirm_expression(definition)


def _confirm_merge(definition: StepDefinition) -> None:
    contract = definition.guard.contract
    if not contract.key:
        raise DefinitionError("orchestration.update_key", dataset=definition.name, update="merge")
    columns = [c.name for c in contract.columns if c.name not in contract.key]
    _confirm_columns(definition, "newest_by", definition.newest_by, columns)


def _confirm_history(definition: StepDefinition) -> None:
    contract, name = definition.guard.contract, definition.name
    types = {c.name: c.type for c in contract.columns}
    found = [f"{own} {types[own]}" for own in (VALID_FROM, VALID_TO, IS_CURRENT) if own in types]
    fits = (
        VALID_FROM in contract.key
        and len(contract.key) > 1
        and len(found) == 3
        and types[VALID_TO].upper() == types[VALID_FROM].upper()
        and types[IS_CURRENT].upper() in ("BOOLEAN", "BOOL")
        and contract.column(VALID_TO).nullable
        and not {VALID_TO, IS_CURRENT} & set(contract.key)
    )
    if not fits:
        shown = {"key": ", ".join(contract.key) or "–", "columns": ", ".join(found) or "–"}
        raise DefinitionError("orchestration.update_history", dataset=name, **shown)
    if definition.kind == "source":
        raise DefinitionError("orchestration.update_source", dataset=name)
    own = (*contract.key, VALID_TO, IS_CURRENT)
    _confirm_columns(definition, "tracked", definition.tracked, [c for c in types if c not in own])


def _confirm_columns(definition: StepDefinition, argument: str, given: tuple[str, ...], known: list[str]) -> None:
    if unknown := [name for name in given if name not in known]:
        raise DefinitionError(
            "orchestration.update_columns",
            dataset=definition.name,
            argument=argument,
            unknown=", ".join(unknown),
            known=", ".join(known) or "–",
        )


def _confirm_expression(definition: StepDefinition) -> None:
    """Bind ``partition_by`` to the contract's columns, without any row."""
    row = ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in definition.guard.contract.columns)
    with Engine(threads=1) as engine:
        try:
            engine.describe(f"SELECT ({definition.partition_by}) AS p FROM (SELECT {row})")
        except EngineError as error:
            shown = {"by": definition.partition_by, "error": said(error)}
            raise DefinitionError("orchestration.update_expression", dataset=definition.name, **shown) from error
