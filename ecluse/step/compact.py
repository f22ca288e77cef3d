"""Compact: small data files of a dataset put together into larger ones, the same rows in the same order."""

from __future__ import annotations

import contextlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecluse.engine import FILE_BYTES, Engine, Watch, quote
from ecluse.errors import BrokenData, Conflict, EcluseError, IntegrityError, NotComputed
from ecluse.ledger import sign
from ecluse.model.canonical import digest, plain
from ecluse.model.facts import Subject
from ecluse.model.leaving import waivers
from ecluse.model.outcome import CheckReport, Outcome, Scope
from ecluse.model.release import DataFile
from ecluse.model.step import StepDefinition
from ecluse.quality import check, guarded_suite
from ecluse.quality.detect import detect
from ecluse.step.attest import check_report, file_subjects
from ecluse.step.candidate import personal_columns
from ecluse.step.check import only
from ecluse.step.compactions import COMPACT, about
from ecluse.step.heartbeat import heartbeat
from ecluse.step.measured import table_files
from ecluse.step.rollback import made_of
from ecluse.step.services import Services
from ecluse.step.waived import waive
from ecluse.warehouse import Candidate, Change

_TRIES = 8
#: What a compaction's publication says as the newest one of its rows did: it changes how they are cut into files only.
_SAME = (
    "table_uuid",
    "code_version",
    "contract_digest",
    "owner",
    "licence",
    "legal_basis",
    "description",
    "key",
    "columns",
)


@dataclass(frozen=True)
class Compaction:
    """What a compaction did: the partitions that were rewritten, and their files before and after.

    ``snapshot_id`` is ``None`` where putting files together would give no fewer.
    """

    dataset: str
    snapshot_id: int | None
    partitions: tuple[str | None, ...]
    files_before: int
    files_after: int
    rows: int


def compact(
    services: Services, definition: StepDefinition, file_bytes: int = FILE_BYTES, watch: Watch | None = None
) -> Compaction:
    """Put the small files of each partition together, as one snapshot and one fact.

    Rows, their order and everything made from them stay; releases and older snapshots keep their own files. The rows
    are counted and hashed, in their order, before and after, and the dataset's suite is asked of the new files before
    anything moves. Another thread may look at ``watch``, and stop the work with it. ``Conflict`` where a run holds one
    of the partitions, ``BrokenData`` where a check blocks.
    """
    warehouse, dataset = services.warehouse, definition.name
    head = warehouse.head(dataset) if warehouse.exists(dataset) else None
    if head is None:
        raise NotComputed("step.input_unpublished", dataset=dataset)
    by_partition = _small(warehouse.files(dataset, head), file_bytes)
    if not by_partition:
        return Compaction(dataset, None, (), 0, 0, 0)
    run_id = str(uuid.uuid4())
    watch = watch or Watch()
    with services.engine(watch) as engine, heartbeat(warehouse, run_id):
        work = _Work(services, definition, engine, run_id, head, by_partition, watch)
        try:
            candidate = work.write(file_bytes)
            if len(candidate.carried) < len(candidate.removed):
                return work.publish(candidate)
            work.give_back()
            return Compaction(dataset, None, (), 0, 0, 0)
        except BaseException:
            # NOTE: what hinders the cleaning must not hide why it is cleaned; a lease that stays runs out.
            with contextlib.suppress(EcluseError):
                work.give_back()
            raise


def _small(files: Sequence[DataFile], file_bytes: int) -> dict[str | None, tuple[DataFile, ...]]:
    """The files of each partition that has more of them than its bytes need."""
    found: dict[str | None, list[DataFile]] = defaultdict(list)
    for file in files:
        found[file.partition].append(file)
    return {
        partition: tuple(some)
        for partition, some in found.items()
        if len(some) > max(1, -(-sum(file.bytes for file in some) // file_bytes))
    }


@dataclass(frozen=True)
class _Work:
    services: Services
    definition: StepDefinition
    engine: Engine
    run_id: str
    head: int
    before: Mapping[str | None, tuple[DataFile, ...]]
    watch: Watch

    def write(self, file_bytes: int) -> Candidate:
        """The candidate with the rows of the small files in new ones, proven to be the same."""
        warehouse, dataset = self.services.warehouse, self.definition.name
        candidate = warehouse.begin(
            dataset,
            warehouse.columns(dataset, self.head),
            partition=None,
            run_id=self.run_id,
            attempt=1,
            personal=personal_columns(self.definition.guard.contract),
        )
        warehouse.occupy(candidate, [partition for partition in self.before if partition is not None])
        if candidate.base != self.head:
            raise Conflict("warehouse.moved", dataset=dataset)
        files = [file for some in self.before.values() for file in some]
        warehouse.confirm(dataset, files)
        carried = {p: f"SELECT * FROM {warehouse.scan(dataset, self.head, {p})}" for p in self.before}
        change = Change(
            added={},
            carried=carried,
            removed=frozenset(file.path for file in files),
            looks_at=frozenset(self.before),
            file_bytes=file_bytes,
        )
        self.watch.stage = "writing"
        candidate = warehouse.change(self.engine, candidate, change, "replace")
        self.watch.stage = "proving"
        self._prove(candidate, self.before)
        return candidate

    def publish(self, candidate: Candidate) -> Compaction:
        """Ask the suite, and move ``main``; other partitions may be published meanwhile."""
        services = self.services
        for _ in range(_TRIES):
            report = self._checked(candidate)
            fact = services.fact("publication", self._subjects(candidate), self._publication(candidate, report))
            evidence = services.fact(
                "evidence",
                file_subjects(candidate.carried),
                {
                    "about": "check-report",
                    "on": "candidate",
                    "dataset": self.definition.name,
                    "partition": None,
                    "snapshot_id": str(candidate.snapshot_id),
                    "run_id": self.run_id,
                    "accounting_outcome": None,
                    **check_report(report),
                },
            )
            try:
                prepared = services.warehouse.prepare([candidate])
                signed = [sign(one, services.signer) for one in (fact, evidence)]
                with services.database.transaction() as connection:
                    prepared.apply(connection)
                    services.warehouse.vacate(self.run_id, connection)
                    services.log.append(connection, signed)
            except Conflict:
                candidate = services.warehouse.rebase(candidate)
                continue
            return Compaction(
                dataset=self.definition.name,
                snapshot_id=candidate.snapshot_id,
                partitions=tuple(self.before),
                files_before=len(candidate.removed),
                files_after=len(candidate.carried),
                rows=report.rows,
            )
        raise Conflict("step.moved", dataset=self.definition.name, tries=_TRIES)

    def give_back(self) -> None:
        """Delete the branch and the leases of this work."""
        warehouse = self.services.warehouse
        for branch in warehouse.candidates():
            if branch.holder == self.run_id:
                warehouse.discard(branch)
        with self.services.database.transaction() as connection:
            warehouse.vacate(self.run_id, connection)

    def _prove(self, candidate: Candidate, partitions: Collection[str | None]) -> None:
        """``IntegrityError`` where a partition doesn't hold the same rows in the same order as before."""
        assert candidate.snapshot_id is not None
        scan, dataset = self.services.warehouse.scan, self.definition.name
        names = list(self.services.warehouse.columns(dataset, self.head))
        for partition in partitions:
            before, after = (
                ordered_rows(self.engine, scan(dataset, snapshot, {partition}), names)
                for snapshot in (self.head, candidate.snapshot_id)
            )
            if before != after:
                raise IntegrityError("step.compact_differs", dataset=dataset, partition=partition or "all")

    def _checked(self, candidate: Candidate) -> CheckReport:
        """The suite asked of the rewritten partitions and of the resulting table; freshness isn't: no row is new."""
        assert candidate.snapshot_id is not None
        services, dataset = self.services, self.definition.name
        guarded = guarded_suite(self.definition.guard, dataset)
        suite = only(guarded, lambda scope, _row: scope is not Scope.PUBLISHED)
        tables = {
            Scope.BATCH: services.warehouse.scan(dataset, candidate.snapshot_id, set(self.before)),
            Scope.TABLE: services.warehouse.scan(dataset, candidate.snapshot_id),
        }
        files = {Scope.TABLE: table_files(services, dataset, candidate.snapshot_id)}
        self.watch.stage = "checking"
        checked = check(self.engine, suite, tables, data_now=services.project.data_now(), files=files)
        contract = self.definition.guard.contract
        rows = sum(file.rows for file in candidate.carried)
        personal = detect(self.engine, tables[Scope.BATCH], contract.columns)
        results = waive(self.engine, checked, waivers(services.log.facts(kind="decision"), dataset))
        report = CheckReport(dataset, guarded.digest, contract.digest, results, rows, personal)
        if report.outcome is not Outcome.HELD:
            blocking = ", ".join(result.name for result in report.checks if result.blocks)
            raise BrokenData("step.compact_blocked", dataset=dataset, checks=blocking)
        return report

    def _subjects(self, candidate: Candidate) -> tuple[Subject, ...]:
        together = Subject(about(self.definition.name), digest([plain(file) for file in candidate.carried]))
        return (*file_subjects(candidate.carried), together)

    def _publication(self, candidate: Candidate, report: CheckReport) -> dict[str, Any]:
        """What moved. Its columns and terms are those of the newest publication that its rows come from."""
        dataset = self.definition.name
        made = made_of([*self.services.log.facts("publication")], dataset, candidate.base)
        if not made:
            raise NotComputed("step.unrecorded", dataset=dataset, snapshot=candidate.base)
        before = made[-1].fact.predicate
        return {
            "dataset": dataset,
            "partition": None,
            "snapshot_id": str(candidate.snapshot_id),
            "previous_snapshot_id": str(candidate.base),
            "update": COMPACT,
            "run_id": self.run_id,
            "attempt": 1,
            "suite_digest": report.suite_digest,
            "accounting": None,
            "inputs": [],
            "raw": [],
            "files": [plain(file) for file in candidate.carried],
            "removed": [file.path for file in candidate.removed],
            "compacted": [
                {
                    "partition": partition,
                    "from": _named(candidate.removed, partition),
                    "into": _named(candidate.carried, partition),
                }
                for partition in self.before
            ],
            "quarantine": {"snapshot_id": None, "rows": 0, "by_check": {}},
            **{name: before[name] for name in _SAME if name in before},
        }


def ordered_rows(engine: Engine, relation: str, columns: Sequence[str]) -> tuple[int, int]:
    """How many rows a relation has, and the sum of the hashes of each with its place: others give another sum.

    The hash has 64 bits and no secret: it finds mistakes, and is no proof against somebody who wants two to be equal.
    """
    names = ", ".join(quote(name) for name in columns)
    place, row = quote("_ecluse_place"), quote("_ecluse_row")
    # NOTE: HUGEINT, so that the sum is exact; of unsigned 128 bits DuckDB gives a float.
    rows, total = engine.row(
        f"SELECT count(*), coalesce(sum(hash({row}, {place})::HUGEINT), 0) FROM "
        f"(SELECT hash({names}) AS {row}, row_number() OVER () AS {place} FROM {relation})"
    )
    return int(rows), int(total)


def _named(files: Sequence[DataFile], partition: str | None) -> list[dict[str, str]]:
    return [{"path": file.path, "sha256": file.sha256} for file in files if file.partition == partition]
