"""Legal holds placed and lifted: a person's signed decision, for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecluse.errors import Conflict, DefinitionError
from ecluse.ledger import Log, Signer, sign
from ecluse.model.canonical import digest
from ecluse.model.facts import Subject
from ecluse.model.holds import HELD, LIFTED, QUESTION, Hold, standing_holds
from ecluse.step.services import Services


def holds(log: Log) -> tuple[Hold, ...]:
    """The legal holds that stand."""
    return standing_holds(log.facts("decision", doubtful=True))


def place_hold(services: Services, signer: Signer, name: str, datasets: Sequence[str], reason: str) -> int:
    """Hold every version of some datasets, and what these were made from; the decision's position in the log.

    ``Conflict`` where a hold of that name stands, ``DefinitionError`` for a dataset that there isn't.
    """
    known = services.warehouse.datasets()
    for dataset in datasets:
        if dataset not in known:
            raise DefinitionError("step.hold_dataset", dataset=dataset, known=", ".join(known) or "–")
    if any(hold.name == name for hold in holds(services.log)):
        raise Conflict("step.hold_stands", name=name)
    return _decided(services, signer, HELD, name, tuple(dict.fromkeys(datasets)), reason)


def lift_hold(services: Services, signer: Signer, name: str, reason: str) -> int:
    """End a hold; the decision's position in the log. ``DefinitionError`` where no hold of that name stands."""
    standing = holds(services.log)
    for hold in standing:
        if hold.name == name:
            return _decided(services, signer, LIFTED, name, hold.datasets, reason, placed=hold.position)
    raise DefinitionError("step.hold_unknown", name=name, known=", ".join(h.name for h in standing) or "–")


def _decided(
    services: Services,
    signer: Signer,
    verdict: str,
    name: str,
    datasets: tuple[str, ...],
    reason: str,
    **more: Any,
) -> int:
    if not reason.strip() or not name.strip():
        raise DefinitionError("step.hold_reason")
    said = {"question": QUESTION, "verdict": verdict, "hold": name, "datasets": list(datasets), "reason": reason}
    subject = Subject(f"hold:{name}", digest({"hold": name, "datasets": datasets}))
    envelope = sign(services.fact("decision", (subject,), {**said, **more}), signer)
    with services.database.transaction() as connection:
        (position,) = services.log.append(connection, [envelope])
    return position
