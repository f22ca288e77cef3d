"""The OpenLineage facets that say what ``RunInfo``, ``DatasetInfo`` and check results say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, TypeVar

from openlineage.client import facet_v2 as f

from ecluse import texts
from ecluse.errors import EcluseError
from ecluse.lineage.describe import DatasetInfo, Parent, RunInfo
from ecluse.lineage.namespaces import PRODUCER
from ecluse.model.canonical import plain
from ecluse.model.lineage import ColumnLineage, Edge
from ecluse.model.outcome import CheckResult, Outcome, Severity

Facets = dict[str, Any]
_Facet = TypeVar("_Facet")
#: Finds OpenLineage's namespace and name of a dataset that lineage names.
Names = Callable[[str], tuple[str, str]]

INTEGRATION = "ECLUSE"
_SEVERITY = {Severity.CRITICAL: "error", Severity.WARNING: "warn", Severity.INFO: "info"}
_STATUS = {Outcome.HELD: "pass", Outcome.BROKEN: "fail", Outcome.NOT_COMPUTED: "skip"}
_LONGEST_MESSAGE = 2000


def _made(kind: Callable[..., _Facet], **fields: Any) -> _Facet:
    # NOTE: the producer is given each time. The client's set_producer() would set it for the whole process.
    return kind(**fields, producer=PRODUCER)


def job_facets(run: RunInfo) -> Facets:
    """Job type, SQL, documentation and owner."""
    found: Facets = {
        "jobType": _made(
            f.job_type_job.JobTypeJobFacet, processingType="BATCH", integration=INTEGRATION, jobType=run.job_type
        )
    }
    if run.sql:
        found["sql"] = _made(f.sql_job.SQLJobFacet, query=run.sql, dialect="duckdb")
    if run.description:
        found["documentation"] = _made(
            f.documentation_job.DocumentationJobFacet, description=run.description, contentType="text/plain"
        )
    if run.owner:
        owners = [f.ownership_job.Owner(name=run.owner, type="OWNER")]
        found["ownership"] = _made(f.ownership_job.OwnershipJobFacet, owners=owners)
    return found


def run_facets(run: RunInfo) -> Facets:
    """Parent, engine and parameters."""
    found: Facets = {}
    if run.parent:
        found["parent"] = _parent(run.parent, run.namespace)
    if run.engine:
        name, version = run.engine
        found["processing_engine"] = _made(f.processing_engine_run.ProcessingEngineRunFacet, name=name, version=version)
    asked = {"partition": run.partition, "code_version": run.code_version, **run.parameters}
    parameters = [
        f.execution_parameters_run.ExecutionParameter(key=key, value=value) for key, value in asked.items() if value
    ]
    if parameters:
        found["executionParameters"] = _made(
            f.execution_parameters_run.ExecutionParametersRunFacet, parameters=parameters
        )
    return found


def _parent(parent: Parent, namespace: str) -> Any:
    module = f.parent_run
    return _made(
        module.ParentRunFacet,
        run=module.Run(runId=parent.run_id),
        job=module.Job(namespace=namespace, name=parent.job),
        root=module.Root(
            run=module.RootRun(runId=parent.run_id), job=module.RootJob(namespace=namespace, name=parent.job)
        ),
    )


def error_facet(error: BaseException) -> Facets:
    """Why a run failed, in words of ours."""
    return {
        "errorMessage": _made(
            f.error_message_run.ErrorMessageRunFacet, message=_message(error), programmingLanguage="PYTHON"
        )
    }


def _message(error: BaseException) -> str:
    """What an error of ours received, without the foreign text that it passes on; of a foreign error only the kind.

    A library's message may quote the value that it could not read.
    """
    if not isinstance(error, EcluseError):
        return type(error).__name__
    fields = {**error.fields, "error": "…"} if "error" in error.fields else error.fields
    return texts.say(f"{error.key}.received", lang="en", **fields)[:_LONGEST_MESSAGE]


def extraction_facet(outputs: Iterable[DatasetInfo]) -> Facets:
    """What column lineage could not understand, for all outputs; nothing where all was understood."""
    asked = [(o.name, o.lineage) for o in outputs if o.lineage is not None]
    failed = [(name, lineage) for name, lineage in asked if lineage.errors]
    if not failed:
        return {}
    errors = [
        f.extraction_error_run.Error(errorMessage=message, task=name, taskNumber=number)
        for number, (name, lineage) in enumerate(failed)
        for message in lineage.errors
    ]
    return {
        "extractionError": _made(
            f.extraction_error_run.ExtractionErrorRunFacet,
            totalTasks=len(asked),
            failedTasks=len(failed),
            errors=errors,
        )
    }


def dataset_facets(dataset: DatasetInfo) -> Facets:
    """Schema, version, storage, type, owner, documentation, and as tags: licence, legal basis, classifications."""
    found: Facets = {
        "datasetType": _made(
            f.dataset_type_dataset.DatasetTypeDatasetFacet, datasetType="FILE" if dataset.is_file else "TABLE"
        )
    }
    if dataset.columns:
        field = f.schema_dataset.SchemaDatasetFacetFields
        fields = [
            field(name=name, type=kind, description=dataset.descriptions.get(name), ordinal_position=position)
            for position, (name, kind) in enumerate(dataset.columns.items(), start=1)
        ]
        found["schema"] = _made(f.schema_dataset.SchemaDatasetFacet, fields=fields)
    if dataset.version:
        found["version"] = _made(f.dataset_version_dataset.DatasetVersionDatasetFacet, datasetVersion=dataset.version)
    if dataset.storage:
        layer, file_format = dataset.storage
        found["storage"] = _made(
            f.storage_dataset.StorageDatasetFacet, storageLayer=layer, fileFormat=file_format or None
        )
    if dataset.owner:
        owners = [f.ownership_dataset.Owner(name=dataset.owner, type="OWNER")]
        found["ownership"] = _made(f.ownership_dataset.OwnershipDatasetFacet, owners=owners)
    if dataset.description:
        found["documentation"] = _made(
            f.documentation_dataset.DocumentationDatasetFacet,
            description=dataset.description,
            contentType="text/plain",
        )
    if tags := _tags(dataset):
        found["tags"] = _made(f.tags_dataset.TagsDatasetFacet, tags=tags)
    if dataset.change:
        module = f.lifecycle_state_change_dataset
        found["lifecycleStateChange"] = _made(
            module.LifecycleStateChangeDatasetFacet, lifecycleStateChange=module.LifecycleStateChange(dataset.change)
        )
    return found


def _tags(dataset: DatasetInfo) -> list[Any]:
    tag = f.tags_dataset.TagsDatasetFacetFields
    said = (("licence", dataset.licence), ("legal_basis", dataset.legal_basis))
    whole = [tag(key=key, value=value, source=INTEGRATION) for key, value in said if value]
    return whole + [
        tag(key="classification", value=value, source=INTEGRATION, field=column)
        for column, value in dataset.classifications.items()
    ]


def input_statistics(dataset: DatasetInfo) -> Facets:
    """What was read, where it was counted."""
    if dataset.rows is dataset.bytes is dataset.files is None:
        return {}
    return {
        "inputStatistics": _made(
            f.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
            rowCount=dataset.rows,
            size=dataset.bytes,
            fileCount=dataset.files,
        )
    }


def output_statistics(dataset: DatasetInfo) -> Facets:
    """What was written, where it was counted."""
    if dataset.rows is dataset.bytes is dataset.files is None:
        return {}
    return {
        "outputStatistics": _made(
            f.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
            rowCount=dataset.rows,
            size=dataset.bytes,
            fileCount=dataset.files,
        )
    }


def column_lineage(lineage: ColumnLineage | None, names: Names) -> Facets:
    """The edges of every column, and those that decide about rows; nothing where lineage was not understood."""
    if lineage is None or lineage.errors:
        return {}
    module = f.column_lineage_dataset
    return {
        "columnLineage": _made(
            module.ColumnLineageDatasetFacet,
            fields={
                column: module.Fields(inputFields=_input_fields(edges, names))
                for column, edges in lineage.fields.items()
            },
            dataset=_input_fields(lineage.dataset, names),
        )
    }


def _input_fields(edges: Iterable[Edge], names: Names) -> list[Any]:
    module = f.column_lineage_dataset
    found = []
    for (dataset, column), group in groupby(sorted(edges), key=lambda edge: (edge.dataset, edge.column)):
        namespace, name = names(dataset)
        transformations = [module.Transformation(type=e.type, subtype=e.subtype, masking=e.masking) for e in group]
        found.append(module.InputField(namespace=namespace, name=name, field=column, transformations=transformations))
    return found


def assertions(checks: Iterable[CheckResult]) -> Facets:
    """The answers of a suite about the dataset that was checked: thresholds and counts, no observed values."""
    found = [
        f.data_quality_assertions_dataset.Assertion(
            assertion=check.type,
            name=check.name,
            success=check.outcome is Outcome.HELD,
            column=check.columns[0] if len(check.columns) == 1 else None,
            severity=_SEVERITY[check.severity],
            expected=_expected(check.kwargs),
            actual=_actual(check),
            params={"outcome": check.outcome.value, "scope": check.scope.value},
        )
        for check in checks
    ]
    return {
        "dataQualityAssertions": _made(
            f.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet, assertions=found
        )
    }


def check_tests(checks: Iterable[CheckResult]) -> Facets:
    """The same answers about the run, where "could not be computed" has a word of its own: skip."""
    found = [
        f.test_run.TestExecution(
            name=check.name,
            status=_STATUS[check.outcome],
            severity=_SEVERITY[check.severity],
            type=check.type,
            expected=_expected(check.kwargs),
            actual=_actual(check),
        )
        for check in checks
    ]
    return {"test": _made(f.test_run.TestRunFacet, tests=found)}


def gate_tests(phase: str, reasons: Iterable[str]) -> Facets:
    """A verdict: the gate itself passes or fails, and each reason that keeps it closed fails under its key."""
    execution = f.test_run.TestExecution
    failed = [execution(name=reason, status="fail", severity="error", type="reason") for reason in reasons]
    gate = execution(name=f"gate.{phase}", status="fail" if failed else "pass", severity="error", type="gate")
    return {"test": _made(f.test_run.TestRunFacet, tests=[gate, *failed])}


def _expected(kwargs: Mapping[str, Any]) -> str | None:
    bounds = {key: value for key, value in kwargs.items() if value is not None and not key.startswith("column")}
    return json.dumps(plain(bounds), sort_keys=True, default=str)[:_LONGEST_MESSAGE] if bounds else None


def _actual(check: CheckResult) -> str | None:
    if check.unexpected_count is None or check.element_count is None:
        return None
    return f"{check.unexpected_count} of {check.element_count} unexpected"
