"""In-toto Statements: how a fact is stated in what is signed, and what exactly states one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from ecluse.ledger.jcs import canonical_reader, parse_canonical
from ecluse.model.facts import KINDS, Fact, Subject

STATEMENT = "https://in-toto.io/Statement/v1"
_PREFIX = "https://ecluse.dev/fact/"


def predicate_type(kind: str, version: int = 1) -> str:
    """The URI that names a kind of fact; it is an identifier, and stays readable for ever.

    >>> predicate_type("release")
    'https://ecluse.dev/fact/release/v1'
    """
    if kind not in KINDS:
        raise ValueError(f"Fact kind {kind!r} is not one of {', '.join(KINDS)}.")
    return f"{_PREFIX}{kind}/v{version}"


_KINDS = {predicate_type(kind): kind for kind in KINDS}


class _Digest(msgspec.Struct, forbid_unknown_fields=True):
    sha256: str


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    digest: _Digest
    name: str


class _Statement(msgspec.Struct, forbid_unknown_fields=True, rename={"type": "_type", "kind": "predicateType"}):
    """A Statement v1 of one of our predicates, its fields in canonical order."""

    type: Literal["https://in-toto.io/Statement/v1"]
    predicate: dict[str, Any]
    kind: str
    subject: list[_Subject]


_READER = canonical_reader(_Statement)


class Stated(msgspec.Struct, frozen=True):
    """What a statement says. Its kind and its time are there; the fact is made of it when somebody asks.

    Whoever verifies a long log asks for no fact, and to make one takes a fifth of the time of reading it.
    """

    kind: str
    at: datetime
    said: _Statement

    @property
    def named(self) -> list[tuple[str, str]]:
        """Name and SHA-256 of what it is about, each once and in order: what the index over subjects holds of it."""
        found = [(subject.name, subject.digest.sha256) for subject in self.said.subject]
        return found if len(found) == 1 else sorted(set(found))

    @property
    def fact(self) -> Fact:
        """The fact."""
        predicate = dict(self.said.predicate)
        del predicate["at"]
        return Fact(
            kind=self.kind,
            subjects=tuple([Subject(subject.name, subject.digest.sha256) for subject in self.said.subject]),
            at=self.at,
            project=predicate.pop("project"),
            environment=predicate.pop("environment"),
            predicate=predicate,
        )


def statement(fact: Fact) -> dict[str, Any]:
    """The statement of a fact, as it is signed."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": s.name, "digest": {"sha256": s.sha256}} for s in fact.subjects],
        "predicateType": predicate_type(fact.kind),
        "predicate": {
            **fact.predicate,
            "at": fact.at.isoformat(),
            "project": fact.project,
            "environment": fact.environment,
        },
    }


def read_statement(text: bytes) -> Stated:
    """What the canonical bytes of a statement say, to the letter.

    Raises ``ValueError``, ``KeyError`` or ``TypeError`` for bytes that aren't exactly what ``statement`` gives for some
    fact, and for a fact of a kind that this version doesn't read.
    """
    said = parse_canonical(text, _READER)
    kind, predicate = _KINDS.get(said.kind), said.predicate
    if kind is None:
        raise ValueError(f"{said.kind!r} is not a predicate type that this version reads.")
    at = datetime.fromisoformat(predicate["at"])
    if at.tzinfo is None or at.isoformat() != predicate["at"]:
        raise ValueError("not a time with its zone, as it is written")
    if type(predicate["project"]) is not str or type(predicate["environment"]) is not str:
        raise TypeError("no project and environment")
    return Stated(kind, at, said)
