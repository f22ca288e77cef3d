"""The data files of a change: what is added and carried over, and what is published just so already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pyiceberg.table import FileScanTask, Table

from ecluse.engine import Engine
from ecluse.model.release import DataFile
from ecluse.warehouse.candidate import Candidate, Change
from ecluse.warehouse.catalog import Catalog
from ecluse.warehouse.files import write_files
from ecluse.warehouse.inventory import described, lying_in, recorded
from ecluse.warehouse.layout import new_folder
from ecluse.warehouse.read import scan_sql, select_sql
from ecluse.warehouse.unchanged import same_rows


@dataclass
class Writer:
    """Writes the data files of a change of one candidate, whose base has the files ``base``.

    ``files`` are all that it wrote.
    """

    engine: Engine
    catalog: Catalog
    table: Table
    candidate: Candidate
    base: Sequence[FileScanTask]
    files: list[DataFile] = field(default_factory=list)

    def carry_out(self, change: Change) -> Candidate:
        """The candidate with the files of a change, described and not yet in any snapshot."""
        candidate = self.candidate
        tasks = self.base
        added: list[DataFile] = []
        kept: list[DataFile] = []
        removed = self._described([t for t in tasks if self.catalog.objects.path(t.file.file_path) in change.removed])
        for partition, sql in change.added.items():
            files = self._write(partition, sql, change.file_bytes)
            if change.whole:
                # NOTE: a step without partitions stands for the whole dataset, wherever its files lie.
                parts = None if partition is None else frozenset({partition})
                before = lying_in(tasks, parts)
                if self._same(files, before, change.ignores):
                    self.catalog.objects.delete(file.path for file in files)
                    kept += self._described(before)
                    continue
                removed += self._described(before)
            added += files
        carried = [file for part, sql in change.carried.items() for file in self._write(part, sql, change.file_bytes)]
        return replace(candidate, files=tuple(added), kept=tuple(kept), removed=tuple(removed), carried=tuple(carried))

    def _write(self, partition: str | None, sql: str, file_bytes: int) -> tuple[DataFile, ...]:
        candidate, objects = self.candidate, self.catalog.objects
        schema = self.table.schemas()[candidate.schema_id]
        root = objects.path(self.table.location())
        folder = new_folder(root, partition, candidate.run_id, candidate.attempt)
        files = write_files(self.engine, candidate.dataset, sql, schema, folder, objects, file_bytes)
        self.files += files
        return files

    def _described(self, tasks: list[FileScanTask]) -> list[DataFile]:
        return list(described(self.catalog.database, self.catalog.objects, tasks))

    def _same(self, files: Sequence[DataFile], before: list[FileScanTask], ignores: frozenset[str]) -> bool:
        """Whether files that were just written hold the rows of published ones; cheap where their numbers differ.

        Published files that were damaged since are never the same: what was just computed takes their place.
        """
        candidate, objects = self.candidate, self.catalog.objects
        deletes = any(task.delete_files for task in before)
        rows = sum(task.file.record_count for task in before)
        if not before or candidate.schema_id != candidate.base_schema_id:
            return False
        if not deletes and sum(file.rows for file in files) != rows:
            return False
        hashes = sorted(file.sha256 for file in files)
        known = recorded(self.catalog.database, [objects.path(task.file.file_path) for task in before])
        if not self._intact(known):
            return False
        if not deletes and len(known) == len(before) and sorted(known.values()) == hashes:
            return True
        schema = self.table.schemas()[candidate.schema_id]
        one = select_sql(schema, {(): [objects.local(file.path) for file in files]})
        recorded_hashes = partial(recorded, self.catalog.database)
        other = scan_sql(objects, recorded_hashes, candidate.dataset, self.table, schema, before)
        return same_rows(self.engine, one, other, [f.name for f in schema.fields if f.name not in ignores])

    def _intact(self, known: Mapping[str, str]) -> bool:
        """Whether files are there, and are byte for byte what was recorded of them."""
        try:
            return all(self.catalog.objects.digest(path) == sha256 for path, sha256 in known.items())
        except FileNotFoundError:
            return False
