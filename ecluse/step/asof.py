"""As of: which snapshot of a dataset was published at a moment, in a release, or under an id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ecluse.errors import DefinitionError, NotComputed
from ecluse.model.facts import SignedFact
from ecluse.step.releases import releases
from ecluse.step.services import Services


@dataclass(frozen=True)
class PublishedState:
    """One state of a dataset that was published: its snapshot, since when, and under which contract.

    ``version`` is the release that was asked for, ``None`` where the state was named otherwise.
    """

    dataset: str
    snapshot_id: int
    since: datetime
    contract_digest: str
    version: str | None = None


def published_state(services: Services, dataset: str, as_of: str | None = None) -> PublishedState:
    """The state that ``as_of`` names: a release's version, a snapshot's id, or a time; ``None`` is what stands now.

    A time (ISO 8601; UTC where it names no zone) means what ``main`` was then, as the log's publications, compactions
    and rollbacks say; a day means its end. ``DefinitionError`` where it names nothing, ``NotComputed`` where nothing
    was published yet.
    """
    said = [s for s in services.log.facts("publication") if s.fact.predicate["dataset"] == dataset]
    if not said:
        raise NotComputed("step.input_unpublished", dataset=dataset)
    if as_of is None:
        return _state(said[-1])
    for _, manifest in releases(services, dataset):
        if manifest.version == as_of:
            product = manifest.product(dataset)
            return _by_snapshot(said, dataset, str(product.snapshot_id), as_of)
    if as_of.isdigit() and len(as_of) > len("20260101"):
        return _by_snapshot(said, dataset, as_of)
    moment = _moment(dataset, as_of)
    before = [signed for signed in said if signed.fact.at < moment]
    if not before:
        first = said[0].fact.at.isoformat(" ", "seconds")
        raise NotComputed("step.as_of_before", dataset=dataset, as_of=as_of, first=first)
    return _state(before[-1])


def _by_snapshot(said: list[SignedFact], dataset: str, snapshot_id: str, version: str | None = None) -> PublishedState:
    for signed in said:
        if signed.fact.predicate["snapshot_id"] == snapshot_id:
            return _state(signed, version)
    raise DefinitionError("step.as_of_snapshot", dataset=dataset, snapshot=snapshot_id)


def _state(signed: SignedFact, version: str | None = None) -> PublishedState:
    fact = signed.fact
    return PublishedState(
        dataset=fact.predicate["dataset"],
        snapshot_id=int(fact.predicate["snapshot_id"]),
        since=fact.at,
        contract_digest=fact.predicate["contract_digest"],
        version=version,
    )


def _moment(dataset: str, text: str) -> datetime:
    """The moment up to which facts count: a time itself counts too, and a day to its end."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise DefinitionError("step.as_of", dataset=dataset, as_of=text) from error
        return _after(found if found.tzinfo else found.replace(tzinfo=UTC), timedelta(microseconds=1))
    return _after(datetime.combine(day, time(), UTC), timedelta(days=1))


def _after(moment: datetime, duration: timedelta) -> datetime:
    """A moment later, or the last one that there is."""
    try:
        return moment + duration
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
