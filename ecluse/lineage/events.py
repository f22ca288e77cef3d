"""OpenLineage events as JSON objects: an asset's run, a check, a gate decision, a read.

One run per materialisation, with Dagster's run as its parent; checks, gate decisions and reads are runs of their own
with the dataset as input. ``started`` and ``ended`` are aware times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ecluse.lineage.describe import DatasetInfo, RunInfo
from ecluse.lineage.namespaces import PRODUCER, project_namespace
from ecluse.model.outcome import CheckReport
from ecluse.model.verdict import Request, Verdict

#: A RunEvent of OpenLineage 2-0-2 as JSON.
Event = dict[str, Any]


def start(run: RunInfo, at: datetime, *, inputs: Sequence[DatasetInfo] = ()) -> Event:
    """A run began."""
    return _event("START", run, at, inputs, ())


def complete(
    run: RunInfo, at: datetime, *, inputs: Sequence[DatasetInfo] = (), outputs: Sequence[DatasetInfo] = ()
) -> Event:
    """A run did what it was for. Column lineage that wasn't understood becomes an ``extractionError``."""
    return _event("COMPLETE", run, at, inputs, outputs)


def fail(
    run: RunInfo,
    at: datetime,
    error: BaseException,
    *,
    inputs: Sequence[DatasetInfo] = (),
    outputs: Sequence[DatasetInfo] = (),
) -> Event:
    """A run ended without its result; published data is as before. ``outputs`` names what it would have written."""
    from ecluse.lineage import facets

    return _event("FAIL", run, at, inputs, outputs, more=facets.error_facet(error))


def check_run(
    run: RunInfo, started: datetime, ended: datetime, *, dataset: DatasetInfo, report: CheckReport
) -> tuple[Event, Event]:
    """A suite was asked of a dataset, which is the run's input and carries the answers."""
    from ecluse.lineage import facets

    checked = replace(dataset, rows=report.rows)
    run = replace(
        run,
        job_type="CHECK",
        parameters={**run.parameters, "outcome": report.outcome.value, "suite": report.suite_digest},
    )
    ending = _event(
        "COMPLETE",
        run,
        ended,
        (checked,),
        (),
        more=facets.check_tests(report.checks),
        said_of_inputs=facets.assertions(report.checks),
    )
    return start(run, started, inputs=(dataset,)), ending


def gate_run(
    run: RunInfo, started: datetime, ended: datetime, *, dataset: DatasetInfo, request: Request, verdict: Verdict
) -> tuple[Event, Event]:
    """A gate was asked whether a dataset may be used; who asked stays in the log of facts."""
    from ecluse.lineage import facets

    asked = {
        "purpose": request.purpose,
        "phase": request.phase,
        "release": request.release or "",
        "version": request.version or "",
        "verdict": "open" if verdict.opens else "refused",
    }
    run = replace(run, job_type="GATE", parameters={**run.parameters, **asked})
    tests = facets.gate_tests(request.phase, (reason.key for reason in verdict.reasons))
    return start(run, started, inputs=(dataset,)), _event("COMPLETE", run, ended, (dataset,), (), more=tests)


def read_run(
    run: RunInfo, started: datetime, ended: datetime, *, datasets: Sequence[DatasetInfo], purpose: str
) -> tuple[Event, Event]:
    """Granted columns of released datasets were loaded for a purpose; ``columns`` of each are those that were shown."""
    run = replace(run, job_type="READ", parameters={**run.parameters, "purpose": purpose})
    return start(run, started, inputs=datasets), complete(run, ended, inputs=datasets)


def event_time(at: datetime) -> str:
    """``at`` in UTC with milliseconds: text of one length, in the order of time.

    >>> event_time(datetime(2013, 1, 2, 3, 4, tzinfo=UTC))
    '2013-01-02T03:04:00.000Z'
    """
    if at.tzinfo is None:
        raise ValueError("an event's time needs a zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(
    kind: str,
    run: RunInfo,
    at: datetime,
    inputs: Sequence[DatasetInfo],
    outputs: Sequence[DatasetInfo],
    *,
    more: dict[str, Any] | None = None,
    said_of_inputs: dict[str, Any] | None = None,
) -> Event:
    from openlineage.client import event_v2
    from openlineage.client.serde import Serde

    from ecluse.lineage import facets

    namespace = project_namespace(run.project, run.environment)
    known = {dataset.name: dataset.identity(namespace) for dataset in (*inputs, *outputs)}

    def names(dataset: str) -> tuple[str, str]:
        return known.get(dataset, (namespace, dataset))

    event = event_v2.RunEvent(
        eventTime=event_time(at),
        eventType=event_v2.RunState[kind],
        producer=PRODUCER,
        run=event_v2.Run(
            runId=run.run_id, facets={**facets.run_facets(run), **facets.extraction_facet(outputs), **(more or {})}
        ),
        job=event_v2.Job(namespace=namespace, name=run.job, facets=facets.job_facets(run)),
        inputs=[
            event_v2.InputDataset(
                *names(dataset.name),
                facets=facets.dataset_facets(dataset),
                inputFacets={**facets.input_statistics(dataset), **(said_of_inputs or {})},
            )
            for dataset in inputs
        ],
        outputs=[
            event_v2.OutputDataset(
                *names(dataset.name),
                facets={**facets.dataset_facets(dataset), **facets.column_lineage(dataset.lineage, names)},
                outputFacets=facets.output_statistics(dataset),
            )
            for dataset in outputs
        ],
    )
    return Serde.to_dict(event)
