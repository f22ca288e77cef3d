"""Incidents: what stands against published data now. A fact opens each and a fact closes it; none is kept anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ecluse.gate.book import Book, Record, text, utc
from ecluse.gate.evidence import Evidence
from ecluse.gate.kill import kill_reasons
from ecluse.gate.measures import not_held, stale_reason, timed_checks
from ecluse.gate.personal import personal_unclassified
from ecluse.gate.plan import latest_release, newest_releases
from ecluse.gate.releases import standing_objections, stated_manifest
from ecluse.model.charter import Charter
from ecluse.model.facts import Subject
from ecluse.model.release import DataFile, Manifest, TableVersion
from ecluse.model.verdict import Reason, Request


@dataclass(frozen=True)
class Incident:
    """Something that stands against what is published, until a fact ends it.

    ``dataset`` is what it is about, ``None`` for the whole project. ``since`` is when the fact that opened it was
    signed, ``people`` answer for the dataset, and ``releases`` are those that it touches: that hold a file of it, or
    were made from the dataset.
    """

    reason: Reason
    dataset: str | None
    since: datetime
    people: tuple[str, ...] = ()
    releases: tuple[Subject, ...] = ()

    def touches(self, manifest: Manifest) -> bool:
        """Whether it bears on a release."""
        return self.dataset is None or any(release.sha256 == manifest.digest for release in self.releases)


def incidents(charter: Charter, book: Book, now: datetime, *besides: Manifest) -> tuple[Incident, ...]:
    """Every incident that is open, the oldest first.

    Which releases they touch is told of the newest ones, and of those ``besides``.
    """
    releases = {m.digest: m for m in (*(manifest for _, manifest in newest_releases(book)), *besides)}
    datasets = dict.fromkeys(record.text("dataset") for record in book.of_kind("publication") if record.here)
    found = [*_stopped(charter, book), *_withdrawn(charter, book, now)]
    for dataset in datasets:
        found += _of_dataset(dataset, charter, book, now, [*releases.values()])
    return tuple(sorted(found, key=lambda one: one.since))


def answerable(dataset: str, charter: Charter, book: Book, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The owner whom a dataset's contract names, and the parties that are it today, by id or by role."""
    newest = next(Evidence(book).published(dataset), None)
    owner, today = newest.text("owner") if newest else "", utc(now).date()
    people = (
        party.id
        for party in charter.parties
        if party.id == owner or any(role.name == owner and role.held(today) for role in party.roles)
    )
    return owner, tuple(people)


def _stopped(charter: Charter, book: Book) -> Iterator[Incident]:
    """The kill criterion is met: opened by the newest observation, closed by a better one."""
    at = {record.position: record.at for record in book.observations}
    for reason in kill_reasons(charter, book)[0]:
        yield Incident(reason, None, at[reason.facts[-1]])


def _withdrawn(charter: Charter, book: Book, now: datetime) -> Iterator[Incident]:
    """The latest release of a dataset was withdrawn: closed by another release of it."""
    datasets = dict.fromkeys(product.dataset for _, manifest in newest_releases(book) for product in manifest.products)
    at = {record.position: record.at for record in book.decisions}
    for dataset in datasets:
        manifest = latest_release(dataset, book)
        if manifest is None:
            continue
        where = (manifest.project, manifest.environment)
        asked = Request(dataset, None, manifest.digest, "", None, charter.phase, *where)
        for reason in standing_objections(asked, charter, book):
            if reason.key == "withdrawn":
                people = answerable(dataset, charter, book, now)[1]
                yield Incident(reason, dataset, at[reason.facts[0]], people, (_name(manifest, dataset),))


def _of_dataset(
    dataset: str, charter: Charter, book: Book, now: datetime, releases: list[Manifest]
) -> Iterator[Incident]:
    """What the newest reports about a dataset say of what is published: closed by another report, or other files."""
    evidence = Evidence(book)
    published = _published(dataset, book, evidence)
    found = [*_broken(published, evidence), *_stale(dataset, evidence), *_personal(published, evidence)]
    if not found:
        return
    files = {file.sha256 for file in published.files}
    touched = tuple(name for manifest in releases for name in _touched(manifest, dataset, files))
    people = answerable(dataset, charter, book, now)[1]
    for reason, since in found:
        yield Incident(reason, dataset, since, people, touched)


def _published(dataset: str, book: Book, evidence: Evidence) -> TableVersion:
    """The files that a dataset consists of, as its publications say one after the other."""
    files: dict[str, str] = {}
    for record in reversed([*evidence.published(dataset)]):
        if record.text("update") == "rollback":
            files = _rolled_back(dataset, record, book)
        gone = record.predicate.get("removed")
        for path in gone if isinstance(gone, list) else ():
            files.pop(str(path), None)
        files |= {text(file, "path"): text(file, "sha256") for file in record.objects("files")}
    newest = evidence.newest(dataset)
    suite = newest.text("suite_digest") if newest else ""
    held = tuple(DataFile(path, sha256, 0, 0) for path, sha256 in files.items())
    return TableVersion(dataset, "", 0, held, "", suite)


def _rolled_back(dataset: str, record: Record, book: Book) -> dict[str, str]:
    """The files of the release that a rollback published again."""
    for sha256 in record.digests:
        for release in book.about("release", sha256):
            if (manifest := stated_manifest(release, sha256, book)) is not None:
                return {f.path: f.sha256 for p in manifest.products if p.dataset == dataset for f in p.files}
    return {}


def _broken(published: TableVersion, evidence: Evidence) -> Iterator[tuple[Reason, datetime]]:
    """What doesn't hold by the newest report about each file; whether it is up to date is a question of its own."""
    newest = [evidence.report(published, file) for file in published.files]
    for report in {record.position: record for record in newest if record is not None}.values():
        timed = {text(check, "name") for check in timed_checks(report)}
        for reason in not_held(published.dataset, report):
            if reason.fields.get("check") not in timed:
                yield reason, _since(report, str(reason.fields.get("check", "")), evidence)


def _since(report: Record, check: str, evidence: Evidence) -> datetime:
    """When a check was first found so, of the checks of published data without one between them at which it held."""
    since, files = report.at, {*report.digests}
    for earlier in evidence.reports(report.text("dataset")):
        about = earlier.position < report.position and earlier.text("on") == "published"
        if not about or not files.intersection(earlier.digests):
            continue
        if not any(reason.fields.get("check") == check for reason in not_held("", earlier)):
            break
        since = earlier.at
    return since


def _stale(dataset: str, evidence: Evidence) -> Iterator[tuple[Reason, datetime]]:
    """Whether the newest check that asked found the dataset out of date or could not tell, since the first that did."""
    since: Record | None = None
    newest: Record | None = None
    for report in evidence.reports(dataset):
        if not (timed := timed_checks(report)):
            continue
        if all(check.get("outcome") == "held" for check in timed):
            break
        newest, since = newest or report, report
    if newest is not None and since is not None:
        yield stale_reason(dataset, newest), since.at


def _personal(published: TableVersion, evidence: Evidence) -> Iterator[tuple[Reason, datetime]]:
    """Personal data in columns that nobody classified so; where nobody looked, there is nothing that was found."""
    one = Manifest("", (published,), (), "", "", "")
    for reason in personal_unclassified(one, evidence).because:
        if reason.key != "personal_unsought":
            yield reason, min(r.at for r in evidence.reports(published.dataset) if r.position in reason.facts)


def _touched(manifest: Manifest, dataset: str, files: set[str]) -> tuple[Subject, ...]:
    """The products by which a release is touched: the dataset's own files are in it, or it was made from it."""
    made = any(entry.dataset == dataset for entry in manifest.inputs)
    return tuple(
        _name(manifest, product.dataset)
        for product in manifest.products
        if made or (product.dataset == dataset and files & {file.sha256 for file in product.files})
    )


def _name(manifest: Manifest, dataset: str) -> Subject:
    return Subject(f"{dataset}@{manifest.version}", manifest.digest)
