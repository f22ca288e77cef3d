"""Acknowledge a usage rule: signed by the reader, or by who answers for a service that reads."""

from __future__ import annotations

from ecluse.errors import DefinitionError
from ecluse.ledger import Signer, sign
from ecluse.model.charter import Rule
from ecluse.model.facts import Subject
from ecluse.step.services import Services


def rule_of(services: Services, id: str) -> Rule:
    """The charter's rule of that id; ``DefinitionError`` where there is none."""
    found = next((rule for rule in services.charter.rules if rule.id == id), None)
    if found is None:
        known = ", ".join(rule.id for rule in services.charter.rules) or "–"
        raise DefinitionError("step.no_rule", rule=id, known=known)
    return found


def acknowledge(services: Services, signer: Signer, rule: Rule) -> int:
    """Sign that a rule was read, in the version that stands; its position in the log."""
    predicate = {"verdict": "acknowledged", "rule": rule.id, "version": rule.version, "text": rule.text}
    subject = Subject(f"rule:{rule.id}@{rule.version}", rule.digest)
    envelope = sign(services.fact("decision", (subject,), predicate), signer)
    with services.database.transaction() as connection:
        (position,) = services.log.append(connection, [envelope])
    return position
