"""What the command line did, told to Dagster as events without a run: Dagster shows it beside what its runs did.

Dagster is display. Where the project has no instance nothing is told, and an instance that doesn't answer changes
nothing of what was done: it is said in a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ecluse.model.outcome import CheckReport
from ecluse.model.step import StepDefinition
from ecluse.project import Project
from ecluse.step.compact import Compaction
from ecluse.step.leave import Left
from ecluse.step.rollback import Moved
from ecluse.step.services import Services
from ecluse.step.standing import versions
from ecluse.step.state import StepResult

logger = logging.getLogger("ecluse.dagster")


def tell_result(project: Project, definition: StepDefinition, result: StepResult) -> None:
    """A candidate was published, or was not: its checks, and the materialisation."""

    def events() -> Iterator[Any]:
        from ecluse.orchestration.checks import check_results
        from ecluse.orchestration.metadata import step_metadata

        yield from _evaluations(check_results(definition, result.checks))
        if result.published:
            yield _materialised(
                result.dataset, result.partition, result.data_version, step_metadata(definition, result)
            )

    _tell(project, events)


def tell_left(services: Services, definition: StepDefinition, left: Left) -> None:
    """Rows left quarantine: the dataset is another one where they are published, and observed where they are gone."""

    def events() -> Iterator[Any]:
        from ecluse.orchestration.checks import check_results

        state = left.state
        if not left.done or state is None:
            return
        metadata = {"ecluse/quarantine": left.move, "ecluse/left": left.left, "ecluse/decision": left.position}
        if state.candidate is None or state.report is None:
            yield _observed(left.dataset, left.partition, metadata)
            return
        yield from _evaluations(check_results(definition, state.report.checks))
        snapshot = state.candidate.snapshot_id
        assert snapshot is not None
        whole = versions(services, left.dataset, snapshot)
        version = whole.get(left.partition)
        yield _materialised(left.dataset, left.partition, version, {**metadata, "ecluse/snapshot_id": str(snapshot)})

    _tell(services.project, events)


def tell_rollback(services: Services, moved: Iterable[Moved], version: str) -> None:
    """Releases were gone back to: each partition that is another one since is materialised."""

    def events() -> Iterator[Any]:
        for one in moved:
            before = {} if one.before is None else versions(services, one.dataset, one.before)
            after = versions(services, one.dataset, one.after)
            metadata = {"ecluse/rollback": version, "ecluse/snapshot_id": str(one.after)}
            for partition, found in after.items():
                if before.get(partition) != found:
                    yield _materialised(one.dataset, partition, found, metadata)

    _tell(services.project, events)


def tell_compaction(project: Project, done: Compaction) -> None:
    """Files were put together: the rows are the same, so the dataset is observed and not made anew."""

    def events() -> Iterator[Any]:
        if done.snapshot_id is not None:
            counts = {"files_before": done.files_before, "files_after": done.files_after}
            said = {f"ecluse/{name}": count for name, count in counts.items()}
            yield _observed(done.dataset, None, {**said, "ecluse/snapshot_id": str(done.snapshot_id)})

    _tell(project, events)


def tell_check(project: Project, definition: StepDefinition, report: CheckReport) -> None:
    """What is published was checked again: the answers that the scheduled check would give."""

    def events() -> Iterator[Any]:
        from ecluse.orchestration.checks import published_results

        yield from _evaluations(published_results(definition, report))

    _tell(project, events)


def _tell(project: Project, events: Any) -> None:
    if project.dagster_home is None:
        return
    try:
        from ecluse.orchestration.runner import dagster_instance

        with dagster_instance(project) as instance:
            for event in events():
                instance.report_runless_asset_event(event)
    except Exception as error:  # noqa: BLE001 - what was done is done, whatever Dagster says to it
        logger.warning("Dagster was not told: %s", type(error).__name__)


def _key(dataset: str) -> Any:
    import dagster as dg

    return dg.AssetKey(dataset.removeprefix("default.").split("."))


def _materialised(dataset: str, partition: str | None, version: str | None, metadata: Mapping[str, Any]) -> Any:
    import dagster as dg
    from dagster._core.definitions.data_version import DATA_VERSION_TAG

    tags = {} if version is None else {DATA_VERSION_TAG: version}
    return dg.AssetMaterialization(_key(dataset), metadata=dict(metadata), partition=partition, tags=tags)


def _observed(dataset: str, partition: str | None, metadata: Mapping[str, Any]) -> Any:
    import dagster as dg

    return dg.AssetObservation(_key(dataset), metadata=dict(metadata), partition=partition)


def _evaluations(results: Iterable[Any]) -> Iterator[Any]:
    import dagster as dg

    for result in results:
        yield dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
        )
