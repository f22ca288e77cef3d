"""Facts as the gate reads them: who of the charter signed, and values that may be missing or of another type."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from ecluse.gate import backwards
from ecluse.gate.backwards import Backwards
from ecluse.model.charter import Charter, Key, Party
from ecluse.model.facts import SignedFact, Subject
from ecluse.model.release import Manifest

#: What fills in a reason's text.
Fields = dict[str, str | int | float]


class Record(NamedTuple):
    """One fact with the parties that stand behind it: those whose key counted at the fact's own time."""

    position: int
    kind: str
    at: datetime
    subjects: tuple[Subject, ...]
    predicate: Mapping[str, Any]
    parties: tuple[Party, ...]
    here: bool

    @property
    def day(self) -> date:
        """The day (UTC) on which it was signed."""
        return self.at.date()

    def about(self, sha256: str | None) -> bool:
        """Whether the fact names this digest as its subject."""
        return any(s.sha256 == sha256 for s in self.subjects)

    @property
    def digests(self) -> list[str]:
        """The digests that the fact is about."""
        return _texts(s.sha256 for s in self.subjects)

    @property
    def names(self) -> str:
        """What the fact is about, for people."""
        return ", ".join(_texts(s.name for s in self.subjects))

    def attested(self, kind: str) -> bool:
        """Whether a party that may attest this kind of fact signed it."""
        return any(kind in party.attests for party in self.parties)

    def text(self, name: str) -> str:
        """A text of the predicate; empty where it is missing or no text."""
        return text(self.predicate, name)

    def objects(self, name: str) -> list[dict[str, Any]]:
        """A list of objects of the predicate; whatever else stands there is left out."""
        return objects(self.predicate, name)


class Book:
    """All facts in the order of the log, by kind. Who signed one is looked up when somebody asks for it."""

    def __init__(
        self, charter: Charter, facts: Sequence[SignedFact], trust: Mapping[str, str], project: str, environment: str
    ) -> None:
        self._signers = _Signers(charter, trust)
        self._here = (project, environment)
        self._log = sorted(facts, key=attrgetter("position"))
        # NOTE: the indexes are over all facts, whichever of the books that share them is asked first.
        self._kinds: dict[str, Backwards] = defaultdict(Backwards)
        for signed in self._log:
            self._kinds[signed.fact.kind].facts.append(signed)
        self._limit: int | None = None
        self._records: dict[int, Record] = {}
        #: The manifests of releases that were read, by record and digest; kept by ``releases.stated_manifest``.
        self.manifests: dict[tuple[int, str | None], Manifest | None] = {}

    def before(self, position: int) -> Book:
        """The same book as it was when the log held ``position`` facts. Both keep what they have read in common."""
        earlier = copy(self)
        earlier._limit = self._until(position)  # noqa: SLF001
        return earlier

    def attested(self, kind: str, dataset: str, before: int | None = None) -> Iterator[Record]:
        """The attested facts of a kind about a dataset, here, the newest first; of the first ``before`` facts."""
        told = self._found(kind, backwards.dataset, dataset, before)
        return (record for record in told if record.here and record.attested(kind))

    def all_attested(self, kind: str, before: int | None = None) -> Iterator[Record]:
        """The same about every dataset."""
        told = map(self._record, reversed(self._kinds[kind].until(self._until(before))))
        return (record for record in told if record.here and record.attested(kind))

    def of_kind(self, kind: str) -> tuple[Record, ...]:
        """The facts of one kind, of every environment."""
        return tuple([self._record(signed) for signed in self._kinds[kind].until(self._limit)])

    def saying(self, kind: str, **said: str) -> Iterator[Record]:
        """The facts of a kind that say this, of every environment, the newest first."""
        return self._found(kind, backwards.saying(*said), tuple(said.values()))

    def newest_first(self, kind: str, **said: str) -> Iterator[Record]:
        """The facts of a kind that say this, of the request's project and environment, the newest first."""
        return (record for record in self.saying(kind, **said) if record.here)

    @property
    def decisions(self) -> tuple[Record, ...]:
        """The decisions of the request's project and environment: those of another open nothing here."""
        return tuple(record for record in self.of_kind("decision") if record.here)

    def about(self, kind: str, sha256: str | None) -> list[Record]:
        """The facts of a kind about a digest, of every environment, the oldest first."""
        return [*self._found(kind, backwards.digests, sha256)][::-1]

    def first(self, kind: str, sha256: str) -> int | None:
        """The position of the first fact of a kind about a digest."""
        found = self.about(kind, sha256)
        return found[0].position if found else None

    @property
    def observations(self) -> tuple[Record, ...]:
        """The attested observations of KPIs in the request's project and environment, on whatever release."""
        return tuple([*self.newest_observations()][::-1])

    def newest_observations(self) -> Iterator[Record]:
        """The same, the newest first."""
        return (record for record in self.newest_first("evidence", about="kpi") if record.attested("evidence"))

    def observed(self, kpi: str, release: str, before: int | None = None) -> Iterator[Record]:
        """The attested observations of a KPI on a release, here, the newest first; of the first ``before`` facts."""
        told = self._found("evidence", backwards.observed, release, before)
        return (r for r in told if r.here and r.attested("evidence") and r.text("kpi") == kpi)

    @property
    def newest(self) -> Record | None:
        """The newest fact of the request's project and environment that somebody signed who may attest its kind."""
        known = (signed for signed in reversed(self._log) if self._limit is None or signed.position < self._limit)
        heads = (self._record(signed) for signed in known)
        return next((head for head in heads if head.here and head.attested(head.kind)), None)

    def _found(self, kind: str, by: backwards.By, word: object, before: int | None = None) -> Iterator[Record]:
        return map(self._record, self._kinds[kind].found(by, word, self._until(before)))

    def _until(self, before: int | None) -> int | None:
        """The position behind the last fact that the book holds; of the first ``before`` facts."""
        return min((limit for limit in (self._limit, before) if limit is not None), default=None)

    def _is_here(self, signed: SignedFact) -> bool:
        return (signed.fact.project, signed.fact.environment) == self._here

    def _record(self, signed: SignedFact) -> Record:
        # NOTE: by the object, because a list of facts may name a position twice.
        found = self._records.get(id(signed))
        if found is None:
            at = utc(signed.fact.at)
            found = self._records[id(signed)] = Record(
                position=signed.position,
                kind=signed.fact.kind,
                at=at,
                subjects=signed.fact.subjects,
                predicate=signed.fact.predicate,
                parties=self._signers.at(signed.key_ids, at),
                here=self._is_here(signed),
            )
        return found


class _Signers:
    """The parties behind keys: whom ``trust`` names, while the charter lets the key count for them."""

    def __init__(self, charter: Charter, trust: Mapping[str, str]) -> None:
        self._parties = {party.id: party for party in reversed(charter.parties)}
        self._trust = trust
        self._listed: dict[str, list[tuple[str, Key]]] = defaultdict(list)
        for party in charter.parties:
            for key in party.keys:
                if (id := key_id_of(key.public)) is not None:
                    self._listed[id].append((party.id, key))
        self._known: dict[frozenset[str], list[tuple[Party, list[Key]]]] = {}

    def at(self, key_ids: frozenset[str], moment: datetime) -> tuple[Party, ...]:
        """The parties whose key counted at a time."""
        known = self._known.get(key_ids)
        if known is None:
            known = self._known[key_ids] = [found for id in sorted(key_ids) if (found := self._holder(id)) is not None]
        return tuple([party for party, keys in known if all(_counts(key, moment) for key in keys)])

    def _holder(self, key_id: str) -> tuple[Party, list[Key]] | None:
        """The party that holds a key, with what the charter says of the key; nobody where it lists it for another."""
        party, listed = self._parties.get(self._trust.get(key_id, "")), self._listed.get(key_id, [])
        if party is None or any(id != party.id for id, _ in listed):
            return None
        return party, [key for _, key in listed]


def _counts(key: Key, at: datetime) -> bool:
    return (
        utc(key.since) <= at
        and (key.until is None or at < utc(key.until))
        and (key.revoked is None or at < utc(key.revoked))
    )


def key_id_of(public: str) -> str | None:
    """The id of a public key in hexadecimal digits: the SHA-256 of its bytes; ``None`` for what is no key."""
    try:
        return hashlib.sha256(bytes.fromhex(public)).hexdigest()
    except ValueError:
        return None


def _texts(stated: Iterable[object]) -> list[str]:
    """What of this is text. A fact may say anything; a digest that is no text is none."""
    return [one for one in stated if isinstance(one, str)]


def utc(moment: datetime) -> datetime:
    """``moment`` in UTC; a time without a zone is taken as UTC."""
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def text(found: Mapping[str, Any], name: str) -> str:
    """The text under ``name``; empty where it is missing or no text."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def texts(found: Mapping[str, Any], name: str) -> list[str]:
    """The texts of the list under ``name``."""
    value = found.get(name)
    return _texts(value) if isinstance(value, list) else []


def number(found: Mapping[str, Any], name: str) -> float | None:
    """The finite number under ``name``; ``None`` where there is none."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def objects(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of the list under ``name``."""
    value = found.get(name)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def moment(found: Mapping[str, Any], name: str) -> datetime | None:
    """The ISO 8601 time or date under ``name``, in UTC; ``None`` where there is none."""
    try:
        return utc(datetime.fromisoformat(text(found, name)))
    except ValueError:
        return None
