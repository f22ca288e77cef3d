"""What is attested about files and releases: check reports, publications and observations, indexed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecluse.gate.book import Record
from ecluse.model.release import DataFile, TableVersion

#: A dataset and the SHA-256 of one of its files.
FileKey = tuple[str, str]


@dataclass(frozen=True)
class Evidence:
    """The attested evidence and publications, oldest first."""

    records: tuple[Record, ...]
    reports: dict[FileKey, list[Record]] = field(default_factory=dict)
    published: dict[FileKey, list[Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[Record]) -> Evidence:
        """The index of those facts that a party signed which may attest their kind."""
        kept = tuple(r for r in records if r.kind in ("evidence", "publication") and r.attested(r.kind))
        reports: dict[FileKey, list[Record]] = defaultdict(list)
        published: dict[FileKey, list[Record]] = defaultdict(list)
        for record in kept:
            index = published if record.kind == "publication" else reports if is_report(record) else None
            for subject in record.subjects if index is not None else ():
                if index is not None and isinstance(subject.sha256, str):
                    index[record.text("dataset"), subject.sha256].append(record)
        return cls(kept, dict(reports), dict(published))

    def before(self, position: int) -> Evidence:
        """What was known when the log held ``position`` facts."""
        return Evidence.of([r for r in self.records if r.position < position])

    def report(self, product: TableVersion, file: DataFile, *, suite: str | None = None) -> Record | None:
        """The newest check report about a file, of any suite or of one."""
        found = self.reports.get((product.dataset, file.sha256), [])
        return next((r for r in reversed(found) if suite is None or r.text("suite_digest") == suite), None)

    def publication(self, product: TableVersion, file: DataFile) -> Record | None:
        """The newest publication that added a file."""
        return next(reversed(self.published.get((product.dataset, file.sha256), [])), None)

    def of_dataset(self, dataset: str) -> tuple[Record, ...]:
        """All publications and check reports of a dataset, oldest first."""
        return tuple(
            r for r in self.records if r.text("dataset") == dataset and (r.kind == "publication" or is_report(r))
        )


def is_report(record: Record) -> bool:
    """Whether a fact says how a suite was answered."""
    return record.kind == "evidence" and record.text("about") == "check-report"
