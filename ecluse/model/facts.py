"""Facts: what happened, as in-toto statements that are signed and appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KINDS = ("run", "publication", "release", "evidence", "decision", "read")


@dataclass(frozen=True, order=True)
class Subject:
    """What a fact is about: a name (``clean.flights``, ``products.delay_features@1.0.0``, a file) and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Fact:
    """One fact before it is signed.

    ``at`` is an aware time. ``environment`` is part of every statement, so that an approval in one environment opens
    nothing in another. ``predicate`` holds JSON values only.
    """

    kind: str
    subjects: tuple[Subject, ...]
    predicate: dict[str, Any]
    at: datetime
    project: str
    environment: str


@dataclass(frozen=True)
class SignedFact:
    """A fact of the log whose signatures were verified: who signed it (key ids), and where it stands."""

    position: int
    fact: Fact
    key_ids: frozenset[str] = field(default_factory=frozenset)
