"""What a release sheet says, as data: everything known about one release at one moment, and nothing about layout.

``None`` and an empty tuple mean that the record holds nothing there: the page prints MISSING, never a blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecluse.gate import Incident, StandingKpi
from ecluse.lineage import Part
from ecluse.model.charter import Approval, Criterion
from ecluse.model.outcome import Outcome
from ecluse.model.release import Manifest, PromotedFrom
from ecluse.model.verdict import Verdict


@dataclass(frozen=True)
class Question:
    """What the page answers: is this dataset open for a purpose, for a reader, as the record stood at a moment?"""

    dataset: str
    asked_version: str | None
    purpose: str | None
    purpose_description: str | None
    phase: str
    reader: str | None
    as_of: datetime


@dataclass(frozen=True)
class Identity:
    """What the release is, in the words of its contract."""

    description: str | None
    owner: str | None
    licence: str | None
    legal_basis: str | None
    rows: int | None
    released_at: datetime | None
    released_by: str | None
    promoted_from: PromotedFrom | None = None


@dataclass(frozen=True)
class Source:
    """Raw bytes that came in from outside, kept under their hash."""

    dataset: str
    partition: str | None
    origin: str
    sha256: str
    bytes: int
    collected_at: datetime
    licence: str | None
    legal_basis: str | None


@dataclass(frozen=True)
class Step:
    """The rows of one dataset, added up over the parts that reached the release. ``None``: not recorded."""

    dataset: str
    parts: tuple[str, ...]
    driving_dataset: str | None
    driving: int | None
    rejected: int | None
    filtered: Mapping[str, int]
    deduplicated: int | None
    computed: int | None
    published: int | None
    quarantined: int | None
    unexplained: int | None
    outcome: Outcome


@dataclass(frozen=True)
class Released:
    """Rows that a person let out of quarantine as they are: who, when, why, and where in the log it stands."""

    parties: tuple[str, ...]
    at: datetime
    rows: int
    reason: str
    position: int


@dataclass(frozen=True)
class Check:
    """One expectation, over all parts of its dataset that reached the release.

    ``said`` is the promise in words, by language. ``parts`` counts outcomes at publication. ``rechecked`` is the newest
    answer about what is published, if any. ``released`` are the decisions by which rows that break it were published,
    and ``decided`` says that there is no other row that does.
    """

    dataset: str
    name: str
    type: str
    kwargs: Mapping[str, Any]
    said: Mapping[str, str]
    severity: str
    outcome: Outcome
    parts: Mapping[Outcome, int]
    broke: int | None
    quarantined: int
    messages: tuple[str, ...]
    rechecked: Outcome | None
    rechecked_at: datetime | None
    decided: bool = False
    released: tuple[Released, ...] = ()


@dataclass(frozen=True)
class Decision:
    """One person's signed answer. ``counts``: the verdict rests on it."""

    position: int
    verdict: str
    question: str
    phase: str
    parties: tuple[str, ...]
    names: tuple[str, ...]
    at: datetime
    expires: datetime | None
    reason: str
    counts: bool


@dataclass(frozen=True)
class Read:
    """One time somebody asked for the release at the door."""

    at: datetime
    reader: str | None
    authenticated: bool
    purpose: str
    opens: bool
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ColumnOrigin:
    """One column of the release, and columns of others as (dataset or file, column).

    ``direct``: what its values were made from. ``decided_by``: what decided about them. ``origins``: where it began.
    """

    name: str
    type: str
    classification: str | None
    known: bool
    direct: tuple[tuple[str, str], ...]
    decided_by: tuple[tuple[str, str], ...]
    origins: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """One criterion of the gate and whether it is met; ``None`` where there is no release to ask it of."""

    criterion: Criterion
    met: bool | None


@dataclass(frozen=True)
class Seals:
    """What the page can be checked against: the log's size and root at that moment, and digests of definitions."""

    facts: int
    root: str | None
    gate: str | None
    charter: str


@dataclass(frozen=True)
class SheetData:
    """Everything that the page says."""

    project: str
    environment: str
    problem: str
    question: Question
    manifest: Manifest | None
    digest: str | None
    verdict: Verdict
    identity: Identity
    conditions: tuple[Condition, ...]
    incidents: tuple[Incident, ...]
    kpis: tuple[StandingKpi, ...]
    approvals: tuple[Approval, ...]
    decisions: tuple[Decision, ...]
    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    quarantine: Mapping[tuple[str, str], int]
    unrecorded: tuple[str, ...]
    columns: tuple[ColumnOrigin, ...]
    rows_decided_by: tuple[tuple[str, str], ...]
    upstream: Part | None
    reads: tuple[Read, ...]
    seals: Seals
    made_at: datetime

    @property
    def made_from(self) -> tuple[str, ...]:
        """The datasets of the closure, each once, in the order of the steps."""
        return tuple(step.dataset for step in self.steps)
