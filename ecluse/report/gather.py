"""Gathers what a sheet says from the project's log, events and charter, as they stood at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecluse.charterfile import load_charter
from ecluse.gate import Book, Incident, StandingKpi, held_grants, incidents, standing_kpis, verdict
from ecluse.gate.criteria import criteria_of
from ecluse.ledger import Log, trust_of, with_local_keys
from ecluse.lineage import EventStore, Graph
from ecluse.model.canonical import digest
from ecluse.model.charter import Charter
from ecluse.model.facts import SignedFact
from ecluse.model.latest import release_named
from ecluse.model.release import Manifest, PromotedFrom
from ecluse.model.verdict import Request, Verdict
from ecluse.report.columns import columns_of_release, rows_decided_by
from ecluse.report.evidence import checks_of, quarantine_of, released_rows, sources_of, steps_of
from ecluse.report.people import names_of
from ecluse.report.reads import reads_of
from ecluse.report.sheet import Condition, Decision, Identity, Question, Seals, SheetData
from ecluse.step.closure import Closure, closure_of
from ecluse.store import Database

if TYPE_CHECKING:
    from ecluse.ledger import Trust
    from ecluse.project import Project


def gather_sheet(
    project: Project,
    dataset: str,
    *,
    version: str | None = None,
    as_of: datetime | None = None,
    purpose: str | None = None,
) -> SheetData:
    """Everything recorded about a dataset's release up to ``as_of`` (now), and the verdict of that moment.

    ``version`` is the latest one, and ``purpose`` the charter's first that names the dataset, unless given. Reads
    only. Raises ``IntegrityError`` where the log isn't what was signed: a page about altered records would be worse
    than none.
    """
    moment = as_of or project.now()
    charter = with_local_keys(project, load_charter(project))
    trust = trust_of(charter)
    database = Database(project.database_url, read_only=True)
    try:
        log = Log(database, trust)
        _, facts = log.verified_facts()
        known = [f for f in facts if f.fact.at <= moment]
        size = 1 + max((f.position for f in known), default=-1)
        events = list(EventStore(database).events(until=moment))
        seals = Seals(size, log.root(size) if size else None, None, digest(charter))
    finally:
        database.close()
    release = _release(known, dataset, version, project)
    manifest = release[1] if release else None
    # The way of the data as it was when the release was made: what runs did since is another release's story.
    graph = Graph(events, at=release[0].fact.at if release else moment)
    question = _question(charter, dataset, version, purpose, moment)
    found = _judge(project, charter, trust, known, question, manifest)
    closure = closure_of(manifest, dataset, known) if manifest else Closure((), ())
    gate = charter.gate(question.phase)
    open_incidents, kpis = _standing(project, charter, trust, known, manifest, moment)
    return SheetData(
        project=project.name,
        environment=project.environment,
        problem=charter.problem,
        question=question,
        manifest=manifest,
        digest=manifest.digest if manifest else None,
        verdict=found,
        identity=_identity(release, dataset, closure, trust),
        conditions=_conditions(charter, question.phase, found, released=manifest is not None),
        incidents=open_incidents,
        kpis=kpis,
        approvals=gate.approvals if gate else (),
        decisions=_decisions(project, known, manifest, trust, found),
        sources=sources_of(closure),
        steps=steps_of(closure),
        checks=released_rows(checks_of(closure, known), known, trust.parties()),
        quarantine=quarantine_of(closure),
        unrecorded=closure.unrecorded,
        columns=columns_of_release(graph, dataset, _product(closure, dataset)),
        rows_decided_by=rows_decided_by(graph, dataset),
        upstream=graph.upstream(dataset) if dataset in graph.nodes else None,
        reads=reads_of(project, trust, manifest, dataset, moment),
        seals=Seals(seals.facts, seals.root, charter.gate_digest(question.phase) if gate else None, seals.charter),
        made_at=project.now(),
    )


def _release(
    facts: Sequence[SignedFact], dataset: str, version: str | None, project: Project
) -> tuple[SignedFact, Manifest] | None:
    """The release of that version that holds the dataset, or the latest, in this project and environment."""
    here = [f for f in facts if (f.fact.project, f.fact.environment) == (project.name, project.environment)]
    found = release_named((f.fact for f in here), [dataset], version)
    if found is None:
        return None
    return next(f for f in here if f.fact is found), Manifest.from_json(found.predicate["manifest"])


def _question(charter: Charter, dataset: str, version: str | None, purpose: str | None, moment: datetime) -> Question:
    allowed = [p for p in charter.purposes if p.allowed]
    naming = [p for p in allowed if dataset in p.datasets] or [p for p in allowed if not p.datasets]
    asked = purpose if purpose is not None else next((p.id for p in naming), None)
    known = charter.purpose(asked) if asked else None
    # The verdict is about a reader; the page takes the first whom the charter lets in at all, and says so.
    readers = [
        p.id
        for p in charter.parties
        if asked and held_grants(charter, p.id, dataset, asked, moment.astimezone(UTC).date())
    ]
    return Question(
        dataset=dataset,
        asked_version=version,
        purpose=asked,
        purpose_description=known.description if known else None,
        phase=charter.phase,
        reader=readers[0] if readers else None,
        as_of=moment,
    )


def _judge(
    project: Project,
    charter: Charter,
    trust: Trust,
    facts: Sequence[SignedFact],
    question: Question,
    manifest: Manifest | None,
) -> Verdict:
    request = Request(
        dataset=question.dataset,
        version=manifest.version if manifest else question.asked_version,
        release=manifest.digest if manifest else None,
        purpose=question.purpose or "",
        reader=question.reader,
        phase=question.phase,
        project=project.name,
        environment=project.environment,
        # The page is about the release: whether a reader proves who they are is asked at the door, each time.
        authenticated=True,
    )
    return verdict(request, charter, facts, question.as_of, trust=trust.parties())


def _standing(
    project: Project,
    charter: Charter,
    trust: Trust,
    facts: Sequence[SignedFact],
    manifest: Manifest | None,
    moment: datetime,
) -> tuple[tuple[Incident, ...], tuple[StandingKpi, ...]]:
    """The incidents that touch the release, all of them where there is none, and every KPI."""
    book = Book(charter, facts, trust.parties(), project.name, project.environment)
    besides = (manifest,) if manifest else ()
    found = incidents(charter, book, moment, *besides)
    touching = tuple(one for one in found if manifest is None or one.touches(manifest))
    return touching, standing_kpis(charter, book, moment.astimezone(UTC).date())


def _identity(release: tuple[SignedFact, Manifest] | None, dataset: str, closure: Closure, trust: Trust) -> Identity:
    product = _product(closure, dataset)
    predicate = product.fact.predicate if product else {}
    return Identity(
        description=predicate.get("description") or None,
        owner=predicate.get("owner") or None,
        licence=predicate.get("licence") or None,
        legal_basis=predicate.get("legal_basis") or None,
        rows=release[1].product(dataset).rows if release else None,
        released_at=release[0].fact.at if release else None,
        released_by=", ".join(_parties(release[0], trust)) if release else None,
        promoted_from=PromotedFrom.of(release[0].fact.predicate) if release else None,
    )


def _product(closure: Closure, dataset: str) -> SignedFact | None:
    return next((p for p in reversed(closure.publications) if p.fact.predicate["dataset"] == dataset), None)


def _conditions(charter: Charter, phase: str, found: Verdict, *, released: bool) -> tuple[Condition, ...]:
    failed = {str(r.fields["criterion"]) for r in found.reasons if "criterion" in r.fields}
    waived = {str(r.fields["criterion"]) for r in found.warnings if r.key == "waived"}
    return tuple(Condition(c, (c.id not in failed | waived) if released else None) for c in criteria_of(charter, phase))


def _decisions(
    project: Project, facts: Sequence[SignedFact], manifest: Manifest | None, trust: Trust, found: Verdict
) -> tuple[Decision, ...]:
    """Every decision about this release, newest last."""
    names = names_of(project)
    decisions = []
    for fact in facts:
        predicate = fact.fact.predicate
        if manifest is None or fact.fact.kind != "decision":
            continue
        if all(s.sha256 != manifest.digest for s in fact.fact.subjects):
            continue
        parties = _parties(fact, trust)
        decisions.append(
            Decision(
                position=fact.position,
                verdict=str(predicate.get("verdict")),
                question=str(predicate.get("criterion") or predicate.get("question") or ""),
                phase=str(predicate.get("phase") or ""),
                parties=parties,
                names=tuple(names[p] for p in parties if p in names),
                at=fact.fact.at,
                expires=datetime.fromisoformat(predicate["expires"]) if predicate.get("expires") else None,
                reason=str(predicate.get("reason") or ""),
                counts=fact.position in found.approvals
                or any(fact.position in w.facts for w in found.warnings if w.key == "waived"),
            )
        )
    return tuple(decisions)


def _parties(fact: SignedFact, trust: Trust) -> tuple[str, ...]:
    known = trust.parties()
    return tuple(sorted({known.get(id, id[:16]) for id in fact.key_ids}))
