"""Facts as the gate reads them: who of the charter signed, and values that may be missing or of another type."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from ecluse.model.charter import Charter, Key, Party
from ecluse.model.facts import SignedFact, Subject
from ecluse.model.release import Manifest

#: What fills in a reason's text.
Fields = dict[str, str | int | float]


@dataclass(frozen=True)
class Record:
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
        self._facts: dict[str, list[SignedFact]] = defaultdict(list)
        for signed in sorted(facts, key=attrgetter("position")):
            self._facts[signed.fact.kind].append(signed)
        self._read: dict[str, tuple[Record, ...]] = {}
        self._about: dict[str, dict[str, list[SignedFact]]] = {}
        self._digests: dict[str, dict[str | None, list[SignedFact]]] = {}
        # NOTE: an index is over all facts, whichever of the books that share it is asked first.
        self._whole = self._facts
        self._limit: int | None = None
        self._records: dict[int, Record] = {}
        #: The manifests of releases that were read, by record and digest; kept by ``releases.stated_manifest``.
        self.manifests: dict[tuple[int, str | None], Manifest | None] = {}

    def before(self, position: int) -> Book:
        """The same book as it was when the log held ``position`` facts. Both keep what they have read in common."""
        earlier = copy(self)
        earlier._facts = {kind: found[: _first(found, position)] for kind, found in self._facts.items()}  # noqa: SLF001
        earlier._read, earlier._about, earlier._limit = {}, {}, position  # noqa: SLF001
        return earlier

    def attested(self, kind: str, dataset: str, before: int | None = None) -> Iterator[Record]:
        """The attested facts of a kind about a dataset, here, the newest first; of the first ``before`` facts."""
        if kind not in self._about:
            about: dict[str, list[SignedFact]] = defaultdict(list)
            for signed in self._facts.get(kind, ()):
                named = signed.fact.predicate.get("dataset")
                if isinstance(named, str) and self._is_here(signed):
                    about[named].append(signed)
            self._about[kind] = about
        found = self._about[kind].get(dataset, [])
        for at in reversed(range(len(found) if before is None else _first(found, before))):
            signed = found[at]
            record = self._record(signed)
            if record.attested(kind):
                yield record

    def of_kind(self, kind: str) -> tuple[Record, ...]:
        """The facts of one kind, of every environment."""
        if kind not in self._read:
            self._read[kind] = tuple(self._record(signed) for signed in self._facts.get(kind, ()))
        return self._read[kind]

    @property
    def decisions(self) -> tuple[Record, ...]:
        """The decisions of the request's project and environment: those of another open nothing here."""
        return tuple(record for record in self.of_kind("decision") if record.here)

    def about(self, kind: str, sha256: str | None) -> list[Record]:
        """The facts of a kind about a digest, of every environment, the oldest first."""
        found = self._by_digest(kind).get(sha256, [])
        return [
            self._record(signed) for signed in (found if self._limit is None else found[: _first(found, self._limit)])
        ]

    def first(self, kind: str, sha256: str) -> int | None:
        """The position of the first fact of a kind about a digest."""
        found = self._by_digest(kind).get(sha256)
        return found[0].position if found and (self._limit is None or found[0].position < self._limit) else None

    def newest_first(self, kind: str, **said: str) -> Iterator[Record]:
        """The facts of a kind that say this, of the request's project and environment, the newest first."""
        for signed in reversed(self._facts.get(kind, ())):
            # NOTE: looked at before anything else: most facts of a long log say something else.
            if all(signed.fact.predicate.get(name) == value for name, value in said.items()) and self._is_here(signed):
                yield self._record(signed)

    def _by_digest(self, kind: str) -> dict[str | None, list[SignedFact]]:
        if kind not in self._digests:
            index: dict[str | None, list[SignedFact]] = defaultdict(list)
            for signed in self._observed() if kind == "kpi" else self._whole.get(kind, ()):
                for sha256 in dict.fromkeys(_texts(s.sha256 for s in signed.fact.subjects)):
                    index[sha256].append(signed)
            self._digests[kind] = index
        return self._digests[kind]

    @property
    def observations(self) -> tuple[Record, ...]:
        """The attested observations of KPIs in the request's project and environment, on whatever release."""
        if "kpi" not in self._read:
            found = (
                self._record(signed)
                for signed in self._facts.get("evidence", ())
                if signed.fact.predicate.get("about") == "kpi" and self._is_here(signed)
            )
            self._read["kpi"] = tuple(record for record in found if record.attested("evidence"))
        return self._read["kpi"]

    @property
    def newest(self) -> Record | None:
        """The newest fact of the request's project and environment that somebody signed who may attest its kind."""
        heads = (
            next((r for signed in reversed(found) if (r := self._record(signed)).here and r.attested(kind)), None)
            for kind, found in self._facts.items()
        )
        return max((head for head in heads if head is not None), key=attrgetter("position"), default=None)

    def observed(self, kpi: str, release: str) -> list[Record]:
        """The attested observations of a KPI on a release, the oldest first."""
        told = (r for r in self.about("kpi", release) if r.here and r.attested("evidence"))
        return [r for r in told if r.text("kpi") == kpi]

    def _observed(self) -> Iterator[SignedFact]:
        """The observations of KPIs: few among the evidence, which names many files."""
        return (s for s in self._whole.get("evidence", ()) if s.fact.predicate.get("about") == "kpi")

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
        self._charter = charter
        self._trust = trust
        self._listed: dict[str, list[tuple[str, Key]]] = defaultdict(list)
        for party in charter.parties:
            for key in party.keys:
                if (id := key_id_of(key.public)) is not None:
                    self._listed[id].append((party.id, key))

    def at(self, key_ids: frozenset[str], moment: datetime) -> tuple[Party, ...]:
        """The parties whose key counted at a time."""
        found = []
        for key_id in sorted(key_ids):
            party = self._charter.party(self._trust.get(key_id, ""))
            listed = self._listed.get(key_id, ())
            if party is None or any(id != party.id or not _counts(key, moment) for id, key in listed):
                continue
            found.append(party)
        return tuple(found)


def _counts(key: Key, at: datetime) -> bool:
    ends = [utc(end) for end in (key.until, key.revoked) if end is not None]
    return utc(key.since) <= at and all(at < end for end in ends)


def key_id_of(public: str) -> str | None:
    """The id of a public key in hexadecimal digits: the SHA-256 of its bytes; ``None`` for what is no key."""
    try:
        return hashlib.sha256(bytes.fromhex(public)).hexdigest()
    except ValueError:
        return None


def _texts(stated: Iterable[object]) -> list[str]:
    """What of this is text. A fact may say anything; a digest that is no text is none."""
    return [one for one in stated if isinstance(one, str)]


def _first(found: Sequence[SignedFact], position: int) -> int:
    """How many of some facts, in the log's order, stand before a position."""
    return bisect_left(found, position, key=attrgetter("position"))


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
