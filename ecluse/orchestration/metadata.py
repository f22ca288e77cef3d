"""What Dagster shows of a step: schema with units and classification, counts, hashes, never a value of the data."""

from __future__ import annotations

from typing import Any

import dagster as dg

from ecluse.model.contract import Contract
from ecluse.model.outcome import CheckResult
from ecluse.model.step import StepDefinition
from ecluse.step.state import StepResult


def table_schema(contract: Contract) -> dg.TableSchema:
    """A contract's columns as Dagster's table schema."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=c.type,
                description=c.description or None,
                constraints=dg.TableColumnConstraints(
                    nullable=c.nullable and c.name not in contract.key, unique=contract.key == (c.name,)
                ),
                tags={"classification": c.classification.value} | ({"unit": c.unit} if c.unit else {}),
            )
            for c in contract.columns
        ]
    )


def definition_metadata(definition: StepDefinition) -> dict[str, Any]:
    """What is known of a dataset before it is made."""
    contract = definition.guard.contract
    return {
        "dagster/column_schema": table_schema(contract),
        "owner": contract.owner,
        "licence": contract.licence,
        "on_failure": contract.on_failure,
        "grain": definition.grain or "–",
    }


def step_metadata(definition: StepDefinition, result: StepResult) -> dict[str, Any]:
    """What a step did. Numbers become line plots over the runs."""
    found: dict[str, Any] = {
        "dagster/row_count": result.rows,
        "dagster/column_schema": table_schema(definition.guard.contract),
        "ecluse/ending": result.ending.value,
        "ecluse/quarantined": result.quarantined,
        "ecluse/snapshot_id": str(result.snapshot_id),
    }
    if result.accounting is not None:
        found["ecluse/accounting"] = dg.MarkdownMetadataValue(_accounting(result))
    if result.lineage is not None and result.lineage.fields:
        found["dagster/column_lineage"] = _column_lineage(result)
    if result.sql:
        found["ecluse/sql"] = dg.MarkdownMetadataValue(f"```sql\n{result.sql}\n```")
    for name, count in result.quarantine_by_check.items():
        found[f"ecluse/quarantined/{name}"] = count
    if result.warnings:
        found["ecluse/warnings"] = "\n".join(w.text("en") for w in result.warnings)
    return found


def check_metadata(result: CheckResult) -> dict[str, Any]:
    """A check's counts."""
    found: dict[str, Any] = {
        "outcome": result.outcome.value,
        "severity": result.severity.value,
        "scope": result.scope.value,
        "executed_by": result.executed_by,
    }
    for name in ("element_count", "unexpected_count"):
        value = getattr(result, name)
        if value is not None:
            found[name] = int(value)
    if result.quarantined:
        found["quarantined"] = result.quarantined
    if result.waived:
        found["waived"] = result.waived
    return found


def _accounting(result: StepResult) -> str:
    accounting = result.accounting
    assert accounting is not None
    lines = [
        ("computed", accounting.computed),
        ("published", accounting.published),
        ("quarantined", accounting.quarantined),
    ]
    if accounting.driving is not None:
        lines.insert(0, (f"rows of {accounting.driving_dataset}", accounting.driving))
    lines += [(f"filtered: {name}", count) for name, count in accounting.filtered.items()]
    if accounting.deduplicated:
        lines.append(("deduplicated", accounting.deduplicated))
    if accounting.rejected:
        lines.append(("lines rejected", accounting.rejected))
    named = ("unchanged", "late", "superseded")
    lines += [(name, count) for name in named if (count := getattr(accounting, name))]
    table = ("previous", "replaced", "added", "current")
    lines += [(f"table: {name}", count) for name in table if (count := getattr(accounting, name)) is not None]
    lines += [(f"{look.dataset}: matched", look.matched) for look in accounting.look_ups]
    lines += [(f"{look.dataset}: unmatched", look.unmatched) for look in accounting.look_ups]
    return "| rows | count |\n|---|---:|\n" + "\n".join(f"| {name} | {count:,} |" for name, count in lines)


def _column_lineage(result: StepResult) -> dg.TableColumnLineage:
    assert result.lineage is not None
    return dg.TableColumnLineage(
        deps_by_column={
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(dataset.split(".")), column_name=name)
                # NOTE: an input can reach a column in two ways (value and condition); Dagster wants it once.
                for dataset, name in dict.fromkeys((e.dataset, e.column) for e in edges)
                # NOTE: a raw file is no asset, so Dagster gets the edges between assets only.
                if ":" not in dataset and "/" not in dataset
            ]
            for column, edges in result.lineage.fields.items()
        }
    )
