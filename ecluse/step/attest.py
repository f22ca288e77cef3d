"""Attest: what the step found, as facts that are signed before the commit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ecluse.ledger import sign
from ecluse.model.canonical import plain
from ecluse.model.facts import Fact, Subject
from ecluse.model.outcome import CheckReport, CheckResult
from ecluse.model.release import DataFile
from ecluse.model.update import RESOLVED
from ecluse.quality import promise_text
from ecluse.step.candidate import standing_files
from ecluse.step.pin import inputs_json
from ecluse.step.rerun import replaced_rows
from ecluse.step.services import Services
from ecluse.step.state import Ending, State
from ecluse.texts import LANGUAGES
from ecluse.warehouse import Candidate


def publication_facts(state: State, services: Services, more: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The signed facts of a publication: what moved, what was checked, and that the run ended well.

    ``more`` is said of the publication beside that, or instead.
    """
    assert state.candidate is not None
    subjects = file_subjects(state.candidate.content)
    facts = [
        services.fact("publication", subjects, {**_publication(state, services), **(more or {})}),
        _evidence(state, services, subjects),
        run_fact(state, services, Ending.PUBLISHED.value),
    ]
    return [sign(fact, services.signer) for fact in facts]


def blocked_facts(state: State, services: Services) -> list[dict[str, Any]]:
    """The signed facts of a step that was blocked: its checks about the candidate, and why it stopped."""
    assert state.candidate is not None
    facts = [_evidence(state, services, file_subjects(state.candidate.content))]
    facts.append(run_fact(state, services, Ending.BLOCKED.value, [b.text("en") for b in state.blocks]))
    return [sign(fact, services.signer) for fact in facts]


def run_fact(state: State, services: Services, outcome: str, reasons: list[str] | None = None) -> Fact:
    """The fact that a run of a step ended: published, unchanged, blocked or failed."""
    request = state.request
    return services.fact(
        "run",
        (),
        {
            "dataset": state.definition.name,
            "partition": request.partition,
            "run_id": request.run_id,
            "dagster_run_id": request.dagster_run_id,
            "attempt": request.attempt,
            "outcome": outcome,
            "reasons": reasons or [],
        },
    )


def file_subjects(files: tuple[DataFile, ...]) -> tuple[Subject, ...]:
    """Data files as what a fact is about."""
    return tuple(sorted(Subject(f.path, f.sha256) for f in files))


def check_report(report: CheckReport) -> dict[str, Any]:
    """A report as JSON for the log: counts and names, never a value of the data."""
    return {
        "rows": report.rows,
        "outcome": report.outcome.value,
        "suite_digest": report.suite_digest,
        "contract_digest": report.contract_digest,
        "checks": [_check(c) for c in report.checks],
        "personal": report.personal.to_json() if report.personal else None,
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.name,
        "type": check.type,
        "columns": list(check.columns),
        "severity": check.severity.value,
        "scope": check.scope.value,
        "outcome": check.outcome.value,
        "kwargs": plain_kwargs(check.kwargs),
        "said": {lang: promise_text(check, lang) for lang in LANGUAGES},
        "element_count": check.element_count,
        "unexpected_count": check.unexpected_count,
        "quarantined": check.quarantined,
        # NOTE: a check of columns that aren't public keeps none, so no value of them gets here.
        **({} if check.observed is None else {"observed": plain_kwargs(check.observed)}),
        "row_level": check.row_level,
        "executed_by": check.executed_by,
        "message": check.message,
        **({"waived": check.waived} if check.waived else {}),
    }


def plain_kwargs(value: Any) -> Any:
    """The thresholds of an expectation, with numbers as JSON has them and anything else as text."""
    if isinstance(value, dict):
        return {str(k): plain_kwargs(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_kwargs(v) for v in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    # NOTE: JSON numbers lose digits above 2^53, and canonical JSON refuses them.
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return str(value)


def _standing(state: State, services: Services) -> tuple[dict[str, int] | None, dict[str, int] | None]:
    """By partition, the rows left there and in quarantine by a publication, where they aren't those of its files."""
    update, candidate = state.definition.update, state.candidate
    if update not in RESOLVED:
        return None, None
    assert candidate is not None
    files = standing_files(state, services)
    if update != "partition":
        return {state.request.partition or "all": sum(file.rows for file in files)}, None
    looks_at = candidate.looks_at or frozenset()
    standing = rows_by_partition(file for file in files if file.partition in looks_at)
    return standing, _held_by_partition(state.quarantine, services) if state.quarantine else {}


def _held_by_partition(quarantine: Candidate, services: Services) -> dict[str, int]:
    """The rows in quarantine in each partition that a publication changes there, or confirms."""
    assert quarantine.snapshot_id is not None
    parts = _touched(quarantine)
    found = rows_by_partition(services.warehouse.files(quarantine.dataset, quarantine.snapshot_id))
    return {part: found.get(part, 0) for part in parts}


def _touched(quarantine: Candidate) -> list[str]:
    return sorted({file.partition or "all" for file in (*quarantine.content, *quarantine.removed)})


def held_partitions(state: State) -> list[str]:
    """The partitions whose quarantine a publication changes, or confirms, where its rows say which these are."""
    dynamic = state.definition.update == "partition"
    return _touched(state.quarantine) if dynamic and state.quarantine is not None else []


def _replaced(state: State) -> int:
    """The quarantined rows that made room, where a publication adds to the quarantine of its partition."""
    adds = state.definition.update not in ("replace", "partition")
    return replaced_rows(state.quarantine) if adds else 0


def rows_by_partition(files: Iterable[DataFile]) -> dict[str, int]:
    """How many rows data files hold, by partition; ``all`` for those that lie in none."""
    found: Counter[str] = Counter()
    for file in files:
        found[file.partition or "all"] += file.rows
    return dict(sorted(found.items()))


def _evidence(state: State, services: Services, subjects: tuple[Subject, ...]) -> Fact:
    assert state.report is not None
    assert state.candidate is not None
    return services.fact(
        "evidence",
        subjects,
        {
            "about": "check-report",
            "on": "candidate",
            "dataset": state.definition.name,
            "partition": state.request.partition,
            "snapshot_id": str(state.candidate.snapshot_id),
            "run_id": state.request.run_id,
            "accounting_outcome": state.accounting.outcome.value if state.accounting else None,
            **check_report(state.report),
        },
    )


def _publication(state: State, services: Services) -> dict[str, Any]:
    assert state.candidate is not None
    assert state.report is not None
    definition, candidate = state.definition, state.candidate
    contract = definition.guard.contract
    assert candidate.snapshot_id is not None
    ids = services.warehouse.field_ids(definition.name, candidate.snapshot_id)
    raw = state.collection.inputs if state.collection else ()
    standing, held = _standing(state, services)
    return {
        "dataset": definition.name,
        "partition": state.request.partition,
        "table_uuid": services.warehouse.table_uuid(definition.name),
        "snapshot_id": str(candidate.snapshot_id),
        "previous_snapshot_id": str(candidate.base),
        "update": definition.update,
        "run_id": state.request.run_id,
        "attempt": state.request.attempt,
        "code_version": state.code_version,
        "idempotency_key": state.key,
        "contract_digest": state.report.contract_digest,
        "suite_digest": state.report.suite_digest,
        "accounting": plain(asdict(state.accounting)) if state.accounting else None,
        "inputs": inputs_json(state),
        "raw": [{"origin": r.origin, "sha256": r.sha256, "bytes": r.bytes} for r in raw],
        "files": [plain(f) for f in candidate.content],
        "removed": [f.path for f in candidate.removed],
        "quarantine": {
            "snapshot_id": str(state.quarantine.snapshot_id) if state.quarantine else None,
            "rows": state.quarantined,
            "by_check": dict(state.quarantine_by_check),
            **({} if held is None else {"by_partition": held}),
            **({"replaced": gone} if (gone := _replaced(state)) else {}),
        },
        **({} if standing is None else {"standing": standing}),
        "owner": contract.owner,
        "licence": contract.licence,
        "legal_basis": contract.legal_basis,
        "description": definition.description,
        "key": list(contract.key),
        "columns": [
            {**c.to_json(), "nullable": c.nullable, "unit": c.unit, "field_id": ids[c.name]} for c in contract.columns
        ],
    }
