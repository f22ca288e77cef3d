"""What is attested about files and releases: check reports, publications and observations of KPIs, indexed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecluse.gate.book import Record, objects, text
from ecluse.model.release import DataFile, TableVersion

#: A dataset and the SHA-256 of one of its files.
FileKey = tuple[str, str]


@dataclass(frozen=True)
class Evidence:
    """The attested evidence and publications, oldest first."""

    records: tuple[Record, ...] = ()
    reports: dict[FileKey, list[Record]] = field(default_factory=dict)
    published: dict[FileKey, tuple[Record, ...]] = field(default_factory=dict)
    observations: dict[tuple[str, str], list[Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[Record]) -> Evidence:
        """The index of those facts that a party signed which may attest their kind."""
        kept = tuple(r for r in records if r.kind in ("evidence", "publication") and r.attested(r.kind))
        reports: dict[FileKey, list[Record]] = defaultdict(list)
        published: dict[FileKey, tuple[Record, ...]] = {}
        observations: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in kept:
            dataset = record.text("dataset")
            if record.kind == "publication" and record.text("update") == "compact":
                published |= _compacted(record, published)
                continue
            for subject in record.subjects:
                # NOTE: a fact may say anything; a digest that is no text is none.
                if record.kind == "publication" and isinstance(subject.sha256, str):
                    published[dataset, subject.sha256] = (record,)
                elif is_report(record) and isinstance(subject.sha256, str):
                    reports[dataset, subject.sha256].append(record)
                elif is_observation(record) and isinstance(subject.sha256, str):
                    observations[record.text("kpi"), subject.sha256].append(record)
        return cls(kept, dict(reports), published, dict(observations))

    @property
    def last(self) -> int:
        """The position of the newest record; -1 where there is none."""
        return self.records[-1].position if self.records else -1

    def before(self, position: int) -> Evidence:
        """What was known when the log held ``position`` facts."""
        return Evidence.of([r for r in self.records if r.position < position])

    def report(self, product: TableVersion, file: DataFile, *, suite: str | None = None) -> Record | None:
        """The newest check report about a file, of any suite or of one."""
        found = self.reports.get((product.dataset, file.sha256), [])
        return next((r for r in reversed(found) if suite is None or r.text("suite_digest") == suite), None)

    def publications(self, product: TableVersion, file: DataFile) -> tuple[Record, ...]:
        """The newest publication that added a file, or those that added what it was compacted from."""
        return self.published.get((product.dataset, file.sha256), ())

    def of_dataset(self, dataset: str) -> tuple[Record, ...]:
        """All publications and check reports of a dataset, oldest first."""
        return tuple(
            r for r in self.records if r.text("dataset") == dataset and (r.kind == "publication" or is_report(r))
        )


def _compacted(record: Record, published: Mapping[FileKey, tuple[Record, ...]]) -> dict[FileKey, tuple[Record, ...]]:
    """The files that a compaction wrote, with the publications of those that it put together: it added no row.

    A file whose past isn't wholly known has no publication.
    """
    found: dict[FileKey, tuple[Record, ...]] = {}
    dataset = record.text("dataset")
    for part in record.objects("compacted"):
        past = [published.get((dataset, text(file, "sha256")), ()) for file in objects(part, "from")]
        known = {r.position: r for records in past for r in records} if all(past) else {}
        for file in objects(part, "into"):
            found[dataset, text(file, "sha256")] = tuple(known[position] for position in sorted(known))
    return found


def is_report(record: Record) -> bool:
    """Whether a fact says how a suite was answered."""
    return record.kind == "evidence" and record.text("about") == "check-report"


def is_observation(record: Record) -> bool:
    """Whether a fact says what a KPI was on a release."""
    return record.kind == "evidence" and record.text("about") == "kpi"
