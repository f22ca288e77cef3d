"""What is attested about files and releases, looked up from the newest fact backwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ecluse.gate.book import Book, Record, objects, text, texts
from ecluse.gate.readers import covers
from ecluse.model.release import DataFile, TableVersion

#: By the SHA-256 of a file, the newest report about it: of any suite, and of the release's own.
Reports = tuple[dict[str, Record], dict[str, Record]]


class Evidence:
    """The attested publications, reports and observations of a book, as the log held them at some position.

    A question reads the log backwards until it is answered, so that a long history costs little.
    """

    def __init__(self, book: Book, before: int | None = None) -> None:
        self._book = book
        self._before = before
        # NOTE: with what it was asked of, so that no other object gets the same id meanwhile.
        self._reports: dict[int, tuple[TableVersion, Reports]] = {}
        self._published: dict[int, tuple[TableVersion, dict[str, tuple[Record, ...]]]] = {}

    def before(self, position: int) -> Evidence:
        """What was known when the log held ``position`` facts."""
        return Evidence(self._book, position if self._before is None else min(position, self._before))

    def report(self, product: TableVersion, file: DataFile, *, own: bool = False) -> Record | None:
        """The newest check report about a file, of any suite or by the one that the release names."""
        found = self._reports.get(id(product))
        if found is None:
            found = self._reports[id(product)] = (product, self._look_up(product))
        return found[1][1 if own else 0].get(file.sha256)

    def publications(self, product: TableVersion, file: DataFile) -> tuple[Record, ...]:
        """The newest publication that added a file, or those that added what it was compacted from."""
        found = self._published.get(id(product))
        if found is None:
            found = self._published[id(product)] = (product, self._added(product))
        return found[1].get(file.sha256, ())

    def rows_of(self, product: TableVersion) -> set[str]:
        """The files of a product, and those that they were put together from, however often: the same rows."""
        found = {file.sha256 for file in product.files}
        for record in self.published(product.dataset):
            for part in record.objects("compacted"):
                if found.intersection(text(file, "sha256") for file in objects(part, "into")):
                    found |= {text(file, "sha256") for file in objects(part, "from")}
        return found

    def reports(self, dataset: str) -> Iterator[Record]:
        """The check reports of a dataset, the newest first."""
        return (r for r in self._book.attested("evidence", dataset, self._before) if is_report(r))

    def published(self, dataset: str) -> Iterator[Record]:
        """The publications of a dataset, the newest first."""
        return self._book.attested("publication", dataset, self._before)

    def ever_published(self, pattern: str) -> bool:
        """Whether a pattern of the charter names a dataset that was ever published, here or before a promotion."""
        if not pattern.endswith("*") and next(self.published(pattern), None) is not None:
            return True
        return any(covers(pattern, dataset) for dataset in self._datasets())

    def _datasets(self) -> Iterator[str]:
        # NOTE: where a release was promoted to, the one before is its source, and nothing else of its way is there.
        for record in self._book.all_attested("release", self._before):
            origin = record.predicate.get("promoted_from")
            yield from texts(origin, "inputs") if isinstance(origin, dict) else ()
        for record in self._book.all_attested("publication", self._before):
            yield record.text("dataset")

    def newest(self, dataset: str) -> Record | None:
        """The newest publication or check report of a dataset."""
        heads = (next(self.published(dataset), None), next(self.reports(dataset), None))
        return max((head for head in heads if head is not None), key=lambda head: head.position, default=None)

    def observations(self, kpi: str, release: str) -> Iterator[Record]:
        """What a KPI was on a release, the newest first."""
        return self._book.observed(kpi, release, self._before)

    def _look_up(self, product: TableVersion) -> Reports:
        wanted = {file.sha256 for file in product.files}
        newest: dict[str, Record] = {}
        own: dict[str, Record] = {}
        for record in self.reports(product.dataset) if wanted else ():
            about = wanted.intersection(record.digests)
            for sha256 in about:
                newest.setdefault(sha256, record)
            if about and record.text("suite_digest") == product.suite_digest:
                own |= {sha256: record for sha256 in about if sha256 not in own}
                if len(own) == len(wanted):
                    break
        return newest, own

    def _added(self, product: TableVersion) -> dict[str, tuple[Record, ...]]:
        """By file, the publications that its rows come from."""
        wanted = {file.sha256 for file in product.files}
        newest: dict[str, tuple[Record, ...]] = {}
        for record in self.published(product.dataset):
            if len(newest) == len(wanted):
                break
            if record.text("update") == "compact":
                return self._compacted(product.dataset)
            for sha256 in wanted.intersection(record.digests):
                newest.setdefault(sha256, (record,))
        return newest

    def _compacted(self, dataset: str) -> dict[str, tuple[Record, ...]]:
        """The same where files were put together: their past is followed from the first publication on."""
        found: dict[str, tuple[Record, ...]] = {}
        for record in reversed(list(self.published(dataset))):
            if record.text("update") == "compact":
                found |= _compacted(record, found)
            else:
                found |= dict.fromkeys(record.digests, (record,))
        return found


def _compacted(record: Record, published: Mapping[str, tuple[Record, ...]]) -> dict[str, tuple[Record, ...]]:
    """The files that a compaction wrote, with the publications of those that it put together: it added no row.

    A file whose past isn't wholly known has no publication.
    """
    found: dict[str, tuple[Record, ...]] = {}
    for part in record.objects("compacted"):
        past = [published.get(text(file, "sha256"), ()) for file in objects(part, "from")]
        known = {r.position: r for records in past for r in records} if all(past) else {}
        for file in objects(part, "into"):
            found[text(file, "sha256")] = tuple(known[position] for position in sorted(known))
    return found


def is_report(record: Record) -> bool:
    """Whether a fact says how a suite was answered."""
    return record.kind == "evidence" and record.text("about") == "check-report"
