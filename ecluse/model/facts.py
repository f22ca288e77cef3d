"""Facts: what happened, as in-toto statements that are signed and appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
_PREFIX = "https://ecluse.dev/fact/"
KINDS = ("run", "publication", "release", "evidence", "decision", "read")


def predicate_type(kind: str, version: int = 1) -> str:
    """The URI that names a kind of fact; it is an identifier, and stays readable for ever.

    >>> predicate_type("release")
    'https://ecluse.dev/fact/release/v1'
    """
    if kind not in KINDS:
        raise ValueError(f"Fact kind {kind!r} is not one of {', '.join(KINDS)}.")
    return f"{_PREFIX}{kind}/v{version}"


def kind_of(type_uri: str) -> str:
    """The kind that a predicate type names; ``ValueError`` for a type that isn't Écluse's.

    >>> kind_of("https://ecluse.dev/fact/release/v1")
    'release'
    """
    kind = _KINDS.get(type_uri)
    if kind is None:
        raise ValueError(f"{type_uri!r} is not a predicate type that this version reads.")
    return kind


_KINDS = {predicate_type(kind): kind for kind in KINDS}


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

    def statement(self) -> dict[str, Any]:
        """The in-toto Statement v1 that is signed."""
        return {
            "_type": STATEMENT,
            "subject": [{"name": s.name, "digest": {"sha256": s.sha256}} for s in self.subjects],
            "predicateType": predicate_type(self.kind),
            "predicate": {
                **self.predicate,
                "at": self.at.isoformat(),
                "project": self.project,
                "environment": self.environment,
            },
        }

    @classmethod
    def from_statement(cls, statement: dict[str, Any]) -> Fact:
        """The fact that a statement states, to the letter.

        Raises ``ValueError``, ``KeyError``, ``TypeError`` or ``AttributeError`` where it states none, or says more.
        """
        predicate, subjects = dict(statement["predicate"]), statement["subject"]
        said = predicate.pop("at")
        fact = cls(
            kind=kind_of(statement["predicateType"]),
            subjects=tuple([_subject(one) for one in subjects]),
            at=datetime.fromisoformat(said),
            project=predicate.pop("project"),
            environment=predicate.pop("environment"),
            predicate=predicate,
        )
        # NOTE: what ``fact.statement() == statement`` says, at a fraction of the time: every fact that is read pays it.
        exact = statement["_type"] == STATEMENT and len(statement) == 4 and fact.at.isoformat() == said
        if not exact or type(subjects) is not list or type(statement["predicate"]) is not dict:
            raise ValueError("not the statement of a fact and nothing else")
        if fact.at.tzinfo is None:
            raise ValueError("a time without a zone")
        return fact


def _subject(said: dict[str, Any]) -> Subject:
    name, digest = said["name"], said["digest"]
    sha256 = digest["sha256"]
    if len(said) != 2 or len(digest) != 1 or type(name) is not str or type(sha256) is not str:
        raise ValueError("not a name and its SHA-256")
    return Subject(name, sha256)


@dataclass(frozen=True)
class SignedFact:
    """A fact of the log whose signatures were verified: who signed it (key ids), and where it stands."""

    position: int
    fact: Fact
    key_ids: frozenset[str] = field(default_factory=frozenset)
