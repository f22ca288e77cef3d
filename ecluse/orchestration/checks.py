"""A suite's promises as Dagster asset checks."""

# NOTE: no `from __future__ import annotations` here: Dagster reads the context's annotation and wants the class.

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from ecluse.model.outcome import CheckReport, CheckResult, Outcome, Scope
from ecluse.model.step import StepDefinition
from ecluse.orchestration.metadata import check_metadata
from ecluse.orchestration.resources import RESOURCE
from ecluse.quality import guarded_suite

if TYPE_CHECKING:
    from ecluse.quality import GuardedSuite

#: Above this number of promises a dataset shows one check for its whole suite.
MOST_CHECKS = 50
#: The check that stands for a whole suite: within the step above ``MOST_CHECKS``, and on what is published.
WHOLE_SUITE, PUBLISHED = "suite", "published"


def suite_of(definition: StepDefinition) -> "GuardedSuite":
    """The guarded suite of a step."""
    return guarded_suite(definition.guard, definition.name)


def check_specs(definition: StepDefinition) -> list[dg.AssetCheckSpec]:
    """One check per promise that the step itself asks."""
    key = dg.AssetKey(definition.name.split("."))
    promises = [p for p in suite_of(definition).promises if p.scope is not Scope.PUBLISHED]
    if len(promises) > MOST_CHECKS:
        return [dg.AssetCheckSpec(WHOLE_SUITE, asset=key, description=f"{len(promises)} promises")]
    return [
        dg.AssetCheckSpec(
            p.name,
            asset=key,
            description=p.description,
            metadata={"severity": p.severity.value, "scope": p.scope.value},
        )
        for p in promises
    ]


def check_results(definition: StepDefinition, results: tuple[CheckResult, ...]) -> Iterator[dg.AssetCheckResult]:
    """The answers of a step as Dagster shows them."""
    key = dg.AssetKey(definition.name.split("."))
    if len([p for p in suite_of(definition).promises if p.scope is not Scope.PUBLISHED]) > MOST_CHECKS:
        yield whole_suite_result(key, WHOLE_SUITE, results)
        return
    for result in results:
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


def published_checks(definition: StepDefinition) -> dg.AssetChecksDefinition:
    """The scheduled check of what is published: the whole suite, and each promise about published data alone."""
    key = dg.AssetKey(definition.name.split("."))
    own = [p for p in suite_of(definition).promises if p.scope is Scope.PUBLISHED]
    specs = [
        dg.AssetCheckSpec(PUBLISHED, asset=key, description="the suite, asked of what is published"),
        *(dg.AssetCheckSpec(p.name, asset=key, description=p.description) for p in own),
    ]

    @dg.multi_asset_check(
        name=f"{definition.name.replace('.', '__')}__published", specs=specs, required_resource_keys={RESOURCE}
    )
    def check_published_data(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from ecluse.step.recheck import check_published

        with context.resources.ecluse.opened() as services:
            report: CheckReport = check_published(services, definition)
        yield whole_suite_result(key, PUBLISHED, report.checks)
        names = {p.name for p in own}
        for result in report.checks:
            if result.name in names:
                yield dg.AssetCheckResult(
                    passed=result.outcome is Outcome.HELD,
                    check_name=result.name,
                    asset_key=key,
                    severity=_severity(result),
                    metadata=check_metadata(result),
                )

    return check_published_data


def _severity(result: CheckResult) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if result.blocks else dg.AssetCheckSeverity.WARN
