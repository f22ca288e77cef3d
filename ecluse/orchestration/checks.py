"""A suite's promises as Dagster asset checks."""

# NOTE: no `from __future__ import annotations` here: Dagster reads the context's annotation and wants the class.

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import dagster as dg

from ecluse import texts
from ecluse.model.outcome import CheckReport, CheckResult, Outcome, Scope
from ecluse.model.step import Guard, StepDefinition
from ecluse.orchestration.metadata import check_metadata
from ecluse.orchestration.resources import RESOURCE
from ecluse.quality import expectation_text, guarded_suite

if TYPE_CHECKING:
    from ecluse.quality import GuardedSuite, Promise

#: Above this number of promises a dataset shows one check for its whole suite.
MOST_CHECKS = 50
#: The check that stands for a whole suite: within the step above ``MOST_CHECKS``, and on what is published.
WHOLE_SUITE, PUBLISHED = "suite", "published"
#: The check that stands for what the contract says of each column: that it is there, of its type, and filled. One per
#: column says little, and each check costs Dagster's event log some 70 ms of processor time per run.
CONTRACT = "contract"


def suite_of(definition: StepDefinition) -> "GuardedSuite":
    """The guarded suite of a step."""
    return _suite(definition.guard, definition.name)


@cache
def _suite(guard: Guard, dataset: str) -> "GuardedSuite":
    return guarded_suite(guard, dataset)


def _of_columns(suite: "GuardedSuite") -> frozenset[str]:
    """The names of the promises that the contract makes about single columns of the rows in hand."""
    return frozenset(
        p.name
        for p in suite.promises
        if p.scope is Scope.BATCH and ((p.expectation.meta or {}).get("ecluse") or {}).get("from") == "contract"
    )


def in_words(promise: "Promise") -> str:
    """What a promise says: its author's words, else what its expectation means."""
    return promise.description or expectation_text(promise.type, promise.kwargs)


def check_specs(definition: StepDefinition) -> list[dg.AssetCheckSpec]:
    """One check per promise that the step itself asks."""
    key = dg.AssetKey(definition.name.split("."))
    promises = [p for p in suite_of(definition).promises if p.scope is not Scope.PUBLISHED]
    if len(promises) > MOST_CHECKS:
        return [dg.AssetCheckSpec(WHOLE_SUITE, asset=key, description=f"{len(promises)} promises")]
    folded = _of_columns(suite_of(definition))
    contract = dg.AssetCheckSpec(CONTRACT, asset=key, description=f"{len(folded)} promises about columns")
    return ([contract] if folded else []) + [
        dg.AssetCheckSpec(
            p.name,
            asset=key,
            description=in_words(p),
            metadata={"severity": p.severity.value, "scope": p.scope.value},
        )
        for p in promises
        if p.name not in folded
    ]


def check_results(definition: StepDefinition, results: tuple[CheckResult, ...]) -> Iterator[dg.AssetCheckResult]:
    """The answers of a step as Dagster shows them."""
    key = dg.AssetKey(definition.name.split("."))
    if len([p for p in suite_of(definition).promises if p.scope is not Scope.PUBLISHED]) > MOST_CHECKS:
        yield whole_suite_result(key, WHOLE_SUITE, results)
        return
    folded = _of_columns(suite_of(definition))
    if folded:
        yield whole_suite_result(key, CONTRACT, tuple(r for r in results if r.name in folded))
    for result in results:
        if result.name in folded:
            continue
        yield dg.AssetCheckResult(
            passed=result.outcome is Outcome.HELD,
            check_name=result.name,
            asset_key=key,
            severity=_severity(result),
            description=result.message or None,
            metadata=check_metadata(result),
        )


def whole_suite_result(key: dg.AssetKey, name: str, results: tuple[CheckResult, ...]) -> dg.AssetCheckResult:
    """All answers as one check."""
    counts = {outcome: sum(r.outcome is outcome for r in results) for outcome in Outcome}
    blocking = [r for r in results if r.blocks]
    return dg.AssetCheckResult(
        passed=not blocking,
        check_name=name,
        asset_key=key,
        severity=dg.AssetCheckSeverity.ERROR,
        description=", ".join(r.name for r in blocking) or None,
        metadata={outcome.value: counts[outcome] for outcome in Outcome},
    )


def published_checks(definition: StepDefinition, key: dg.AssetKey | None = None) -> dg.AssetChecksDefinition:
    """The scheduled check of what is published: the whole suite, and each promise about published data alone.

    ``key`` is the asset's, where it isn't the dataset's name. Dagster adds an asset's checks to each run that makes
    it; there this one stays silent.
    """
    key = key or dg.AssetKey(definition.name.split("."))
    own = [p for p in suite_of(definition).promises if p.scope is Scope.PUBLISHED]
    specs = [
        dg.AssetCheckSpec(PUBLISHED, asset=key, description="the suite, asked of what is published"),
        *(dg.AssetCheckSpec(p.name, asset=key, description=in_words(p)) for p in own),
    ]

    @dg.multi_asset_check(
        name=f"{definition.name.replace('.', '__')}__published",
        specs=specs,
        required_resource_keys={RESOURCE},
        # NOTE: only a check that may be left out can stay silent in a run that has just asked the same of what it made.
        can_subset=True,
    )
    def check_published_data(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from ecluse.step.recheck import check_published

        if key in context.job_def.asset_layer.selected_asset_keys:
            context.log.info("The run makes the dataset itself, and its step asked the suite.")
            return
        with context.resources.ecluse.opened() as services:
            if services.warehouse.head(definition.name) is None:
                # NOTE: said as a check, not as a failed step, so that the job's other datasets are asked all the same.
                for spec in specs:
                    yield _nothing_published(definition, spec.name)
                return
            report: CheckReport = check_published(services, definition)
        yield from published_results(definition, report, key)

    return check_published_data


def published_results(
    definition: StepDefinition, report: CheckReport, key: dg.AssetKey | None = None
) -> Iterator[dg.AssetCheckResult]:
    """The answers about what is published: the whole suite's, and each of a promise about published data alone."""
    key = key or dg.AssetKey(definition.name.split("."))
    yield whole_suite_result(key, PUBLISHED, report.checks)
    names = {p.name for p in suite_of(definition).promises if p.scope is Scope.PUBLISHED}
    for result in report.checks:
        if result.name in names:
            yield dg.AssetCheckResult(
                passed=result.outcome is Outcome.HELD,
                check_name=result.name,
                asset_key=key,
                severity=_severity(result),
                metadata=check_metadata(result),
            )


def _nothing_published(definition: StepDefinition, name: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        check_name=name,
        asset_key=dg.AssetKey(definition.name.split(".")),
        severity=dg.AssetCheckSeverity.WARN,
        description=texts.say("step.input_unpublished.received", dataset=definition.name),
        metadata={"outcome": Outcome.NOT_COMPUTED.value},
    )


def _severity(result: CheckResult) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if result.blocks else dg.AssetCheckSeverity.WARN
