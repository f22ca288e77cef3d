"""What is promised of a dataset, in order: its contract as expectations, then its suite, each with a lasting name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecluse.errors import DefinitionError
from ecluse.model.contract import Classification, Contract
from ecluse.model.outcome import Scope, Severity
from ecluse.model.step import Guard
from ecluse.quality import gx
from ecluse.quality.compiled import compile_contract
from ecluse.quality.digest import promise_content, suite_digest


@dataclass(frozen=True)
class Promise:
    """One expectation under the name by which its history is kept.

    ``name`` is made of type and columns, never of bounds, so that an edited threshold keeps its history.
    ``row_level`` tells whether single rows break it.
    """

    name: str
    expectation: gx.Expectation
    severity: Severity
    scope: Scope
    row_level: bool
    description: str = ""

    @cached_property
    def type(self) -> str:
        """GX's name of the expectation (``expect_column_values_to_be_between``)."""
        return str(self.expectation.configuration.type)

    @cached_property
    def kwargs(self) -> dict[str, Any]:
        """What the expectation was given, as GX writes it into a suite."""
        found: dict[str, Any] = self.expectation.configuration.to_json_dict()["kwargs"]
        return found

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expectation is about; empty where it is about the table."""
        return columns_of(self.type, self.kwargs)


@dataclass(frozen=True)
class GuardedSuite:
    """Everything that is promised of a dataset."""

    dataset: str
    contract: Contract
    promises: tuple[Promise, ...]

    def __iter__(self) -> Any:
        return iter(self.promises)

    def __len__(self) -> int:
        return len(self.promises)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all promises, the contract's included."""
        return suite_digest([p.expectation for p in self.promises])

    def public(self, columns: Sequence[str]) -> bool:
        """Whether values of all ``columns`` may enter records."""
        found = {c.name: c.classification for c in self.contract.columns}
        return bool(columns) and all(found.get(c) is Classification.PUBLIC for c in columns)


def guarded_suite(guard: Guard, dataset: str) -> GuardedSuite:
    """The contract's and the suite's expectations of ``dataset``; ``DefinitionError`` where the suite is none."""
    suite = guard.suite()
    kind = gx.module().ExpectationSuite
    if not isinstance(suite, kind):
        raise DefinitionError("quality.suite_kind", dataset=dataset, found=type(suite).__name__)
    own = compile_contract(guard.contract)
    compiled = {_same(e) for e in own}
    taken: set[str] = set()
    every = [*own, *(e for e in suite.expectations if _same(e) not in compiled)]
    return GuardedSuite(dataset, guard.contract, tuple(_promise(e, dataset, taken) for e in every))


def _same(expectation: gx.Expectation) -> str:
    """What makes two expectations one: a suite that repeats what the contract says adds nothing."""
    return repr(sorted(promise_content(expectation).items(), key=str))


def _promise(expectation: gx.Expectation, dataset: str, taken: set[str]) -> Promise:
    configuration = expectation.configuration
    ours = (configuration.meta or {}).get("ecluse") or {}
    try:
        scope = Scope(ours.get("scope", Scope.BATCH))
    except (ValueError, AttributeError) as error:
        raise DefinitionError("quality.scope", dataset=dataset, type=configuration.type, found=ours) from error
    severity = Severity(str(getattr(configuration.severity, "value", configuration.severity)))
    name = free_name(check_name(configuration.type, configuration.kwargs), taken)
    return Promise(
        name=name,
        expectation=expectation,
        severity=severity,
        scope=scope,
        row_level=row_level(expectation),
        description=expectation.description or "",
    )


def row_level(expectation: gx.Expectation) -> bool:
    """Whether single rows break ``expectation``."""
    # Types belong to columns: no single row has the wrong one.
    return gx.map_metric(expectation) is not None and "type" not in (gx.map_metric(expectation) or "")


def columns_of(type_: str, kwargs: dict[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation is about."""
    if type_.startswith("expect_table"):
        return ()
    named = [kwargs.get(k) for k in ("column", "column_A", "column_B")] + list(kwargs.get("column_list") or ())
    return tuple(str(c) for c in named if c is not None)


def check_name(type_: str, kwargs: dict[str, Any]) -> str:
    """The name of a check: what it expects, and of which columns.

    >>> check_name("expect_column_values_to_be_between", {"column": "dep_delay", "min_value": -60})
    'column_values_to_be_between__dep_delay'
    """
    parts = [type_.removeprefix("expect_"), "_".join(columns_of(type_, kwargs))]
    return re.sub(r"[^A-Za-z0-9_]", "_", "__".join(part for part in parts if part))


def free_name(name: str, taken: set[str]) -> str:
    """``name``, or with a number the first that isn't ``taken``; it then is."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
