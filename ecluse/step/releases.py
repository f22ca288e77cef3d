"""Releases and what people decide about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Literal, Required, TypedDict, Unpack

from sqlalchemy import Connection

from ecluse.errors import Conflict, DefinitionError, NotComputed
from ecluse.gate.criteria import criteria_of
from ecluse.ledger import Log, Signer, sign
from ecluse.model.facts import Fact, SignedFact, Subject
from ecluse.model.latest import LATEST, release_named
from ecluse.model.release import Manifest, PromotedFrom, TableVersion
from ecluse.project import Project
from ecluse.step.closure import confirm_known, published_closure
from ecluse.step.latest import latest_publications
from ecluse.step.services import Services
from ecluse.step.versioning import next_version

#: What a version may be called: it stands in names of tags, in addresses and in commands that are copied.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?")

Decision = Literal["approved", "rejected", "waived", "withdrawn"]


def create_release(
    services: Services,
    products: Sequence[str],
    version: str | None = None,
    *,
    promoted_from: PromotedFrom | None = None,
    heads: Mapping[str, int] | None = None,
) -> Manifest:
    """Pin what is published of some products, with the closure of their inputs, as an immutable release.

    ``version`` is computed from the contracts' differences where none is given, and ``DefinitionError`` where it
    promises less than they mean. The tables get the tag ``v<version>``. ``Conflict`` where one of the products has that
    version already, or is no longer published at the snapshot that ``heads`` says. ``promoted_from`` is the release of
    another environment that this one holds.
    """
    if version == LATEST:
        raise DefinitionError("step.release_latest", version=version)
    if version is not None and not _NAME.fullmatch(version):
        raise DefinitionError("step.release_name", version=version)
    for dataset in products:
        if version is not None and find_release(services, dataset, version) is not None:
            raise Conflict("step.release_exists", dataset=dataset, version=version)
    tables = tuple(_table(services, dataset) for dataset in products)
    for table in tables:
        if heads is not None and heads[table.dataset] != table.snapshot_id:
            raise Conflict("step.promote_moved", dataset=table.dataset)
    version = next_version(services, tables, version).version
    closure = published_closure([(t.dataset, t.snapshot_id) for t in tables], [*services.log.facts("publication")])
    manifest = Manifest(
        version, tables, closure.inputs, services.signer.party, services.project.name, services.project.environment
    )
    subjects = tuple(Subject(f"{t.dataset}@{version}", manifest.digest) for t in tables)
    predicate: dict[str, Any] = {"manifest": manifest.to_json()}
    if promoted_from is not None:
        predicate["promoted_from"] = promoted_from.to_json()
    envelope = sign(services.fact("release", subjects, predicate), services.signer)
    with services.database.transaction() as connection:
        _tag(services, connection, manifest)
        services.log.append(connection, [envelope])
        confirm_known(services, ", ".join(products), manifest.inputs, connection)
    return manifest


def _tag(services: Services, connection: Connection, manifest: Manifest) -> None:
    # NOTE: in the order of their names, like every publication, so that two moves can't wait for each other.
    for table in sorted(manifest.products, key=lambda table: table.dataset):
        services.warehouse.tag(table.dataset, f"v{manifest.version}", table.snapshot_id, connection)


def _table(services: Services, dataset: str) -> TableVersion:
    warehouse = services.warehouse
    snapshot = warehouse.head(dataset) if warehouse.exists(dataset) else None
    if snapshot is None:
        raise NotComputed("step.input_unpublished", dataset=dataset)
    published = latest_publications(services, dataset)
    newest = published[-1]
    columns = warehouse.columns(dataset, snapshot)
    return TableVersion(
        dataset=dataset,
        table_uuid=warehouse.table_uuid(dataset),
        snapshot_id=snapshot,
        files=warehouse.files(dataset, snapshot),
        contract_digest=newest["contract_digest"],
        suite_digest=newest["suite_digest"],
        columns=tuple((name, kind) for name, kind in columns.items() if not name.startswith("_")),
        code_versions=tuple(sorted({p["code_version"] for p in published if p.get("code_version")})),
    )


def releases(services: Services, dataset: str | None = None) -> Iterator[tuple[SignedFact, Manifest]]:
    """Every release, oldest first, or those of one product."""
    for found in services.log.facts(kind="release"):
        manifest = Manifest.from_json(found.fact.predicate["manifest"])
        if dataset is None or any(p.dataset == dataset for p in manifest.products):
            yield found, manifest


def find_release(services: Services, dataset: str, version: str | None = None) -> Manifest | None:
    """A product's release of that version, or its latest; ``None`` where there is none."""
    return release_of(services.project, services.log, dataset, version)


def release_of(project: Project, log: Log, dataset: str, version: str | None = None) -> Manifest | None:
    """The same of a project that is opened for reading."""
    stated = sorted([*log.facts(kind="release"), *log.facts(kind="decision")], key=attrgetter("position"))
    here = [s.fact for s in stated if (s.fact.project, s.fact.environment) == (project.name, project.environment)]
    found = release_named(here, [dataset], version)
    return None if found is None else Manifest.from_json(found.predicate["manifest"])


class Answer(TypedDict, total=False):
    """What a person says beside yes or no, as ``decision`` takes it."""

    question: str
    reason: Required[str]
    expires: datetime | None
    phase: str | None
    criterion: str | None
    standing: bool


def decide(services: Services, signer: Signer, manifest: Manifest, verdict: Decision, **answer: Unpack[Answer]) -> int:
    """Sign one person's answer to a question about a release; its position in the log. See ``decision``."""
    return sign_decision(services, signer, decision(services, manifest, verdict, **answer))


def sign_decision(services: Services, signer: Signer, fact: Fact) -> int:
    """Sign a decision as it was shown; its position in the log."""
    # NOTE: signed before the transaction, because an agent or a token may ask somebody, and others want to write.
    envelope = sign(fact, signer)
    with services.database.transaction() as connection:
        (position,) = services.log.append(connection, [envelope])
    return position


def decision(
    services: Services,
    manifest: Manifest,
    verdict: Decision,
    *,
    question: str = "",
    reason: str,
    expires: datetime | None = None,
    phase: str | None = None,
    criterion: str | None = None,
    standing: bool = False,
) -> Fact:
    """One person's answer to a question about a release, to be signed.

    It binds the release, the gate that stands at this moment (see ``Charter.gate_digest``), and how much of the log was
    there to be seen. An approval or a waiver needs an expiry; ``standing`` lets an approval hold for the patch releases
    to come too. ``DefinitionError`` for an answer that could never count.
    """
    phase = phase or services.charter.phase
    gate = services.charter.gate(phase)
    if gate is None:
        raise DefinitionError("step.phase", phase=phase, known=", ".join(services.charter.phases))
    if not reason.strip():
        raise DefinitionError("step.decision_reason")
    if verdict in ("approved", "waived") and expires is None:
        raise DefinitionError("step.decision_expiry", verdict=verdict)
    if verdict == "waived" and criterion is None:
        raise DefinitionError("step.waiver_criterion")
    criteria = [c.id for c in criteria_of(services.charter, phase)]
    if verdict == "waived" and criterion not in criteria:
        raise DefinitionError("step.criterion", criterion=criterion, phase=phase, known=", ".join(criteria))
    questions = dict.fromkeys(approval.question for approval in gate.approvals)
    # NOTE: a no to what nobody asks could never be taken back by a yes.
    if verdict in ("approved", "rejected") and questions and question not in questions:
        raise DefinitionError("step.question", question=question, phase=phase, known=", ".join(questions))
    fact = services.fact(
        "decision",
        tuple(Subject(f"{p.dataset}@{manifest.version}", manifest.digest) for p in manifest.products),
        {
            "verdict": verdict,
            "question": question,
            "phase": phase,
            "gate_digest": services.charter.gate_digest(phase),
            "reason": reason,
            "expires": expires.isoformat() if expires else None,
            "criterion": criterion,
            "seen": services.log.size,
            **({"standing": True} if standing else {}),
        },
    )
    if standing and (expires is None or expires > fact.at + timedelta(days=gate.standing_days)):
        until = expires.date() if expires else "–"
        raise DefinitionError("step.standing", phase=phase, until=until, days=gate.standing_days)
    return fact
