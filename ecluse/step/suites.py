"""Suites that changed since the data was checked: passes that are stale, and what makes them so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ecluse.model.facts import SignedFact
from ecluse.model.outcome import Scope
from ecluse.model.step import StepDefinition
from ecluse.warehouse import Warehouse


@dataclass(frozen=True)
class Suite:
    """What is promised of a dataset today: its suite's digest; severity, scope and arguments of each check by name."""

    digest: str
    promises: Mapping[str, list[Any]]


@dataclass(frozen=True)
class Stale:
    """A dataset whose published files were not all checked with the suite of today.

    ``checked`` are the digests of the suites that their newest checks asked, ``current`` is today's. ``added``,
    ``removed`` and ``changed`` name the checks that differ between it and the newest of the others.
    """

    dataset: str
    current: str
    checked: tuple[str, ...]
    files: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def stale_suites(warehouse: Warehouse, facts: Iterable[SignedFact], suites: Mapping[str, Suite]) -> tuple[Stale, ...]:
    """The datasets of which something published was last checked with another suite than today's, by name.

    ``facts`` are the log's, evidence among them. A dataset of which nothing is published is none.
    """
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    last: dict[str, Mapping[str, Any]] = {}
    for signed in facts:
        said = signed.fact.predicate
        if signed.fact.kind != "evidence" or said.get("about") != "check-report":
            continue
        last[said["dataset"]] = said
        newest |= {(said["dataset"], subject.sha256): said for subject in signed.fact.subjects}
    found = []
    for name in sorted(suites.keys() & last.keys()):
        head = warehouse.head(name)
        if head is None:
            continue
        suite = suites[name]
        # NOTE: a dataset without a row has no file; then its newest check is the one that counts.
        asked = [newest.get((name, file.sha256)) for file in warehouse.files(name, head)] or [last[name]]
        older = [said for said in asked if said is None or said["suite_digest"] != suite.digest]
        if older:
            found.append(_stale(name, suite, older))
    return tuple(found)


def suites_of(steps: Mapping[str, StepDefinition]) -> dict[str, Suite]:
    """Today's suite of each dataset, contract included."""
    from ecluse.quality import guarded_suite
    from ecluse.step.attest import plain_kwargs

    found = {}
    for name, step in steps.items():
        suite = guarded_suite(step.guard, name)
        promises = {p.name: [p.severity.value, p.scope.value, plain_kwargs(p.kwargs)] for p in suite.promises}
        found[name] = Suite(suite.digest, promises)
    return found


def _stale(dataset: str, suite: Suite, older: list[Mapping[str, Any] | None]) -> Stale:
    reports = [said for said in older if said is not None]
    before = {c["name"]: [c["severity"], c["scope"], c["kwargs"]] for c in (reports[-1]["checks"] if reports else ())}
    now = suite.promises
    # NOTE: freshness is asked of what is published only, so a step's own report doesn't hold it.
    asked = [name for name, promise in now.items() if promise[1] != Scope.PUBLISHED]
    return Stale(
        dataset=dataset,
        current=suite.digest,
        checked=tuple(sorted({str(said["suite_digest"]) for said in reports})),
        files=len(older),
        added=tuple(sorted(name for name in asked if name not in before)),
        removed=tuple(sorted(before.keys() - now.keys())),
        changed=tuple(sorted(name for name in before.keys() & now.keys() if before[name] != now[name])),
    )
