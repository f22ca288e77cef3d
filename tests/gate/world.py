"""A charter, a release and a log of facts with which everything is open; tests take something away or add something."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ecluse.gate import verdict
from ecluse.gate.book import key_id_of
from ecluse.model.charter import Approval, Charter, Criterion, Gate, Grant, Key, Kpi, Party, Purpose, Role
from ecluse.model.facts import Fact, SignedFact, Subject
from ecluse.model.release import DataFile, Input, Manifest, TableVersion
from ecluse.model.verdict import Request, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = NOW - timedelta(days=10)
PRODUCT = "products.delays"
FILES = (DataFile(f"{PRODUCT}/a.parquet", "a" * 64, 60, 600), DataFile(f"{PRODUCT}/b.parquet", "b" * 64, 40, 400))
PEOPLE = {
    "ana": ("data-steward",),
    "bob": ("business-owner",),
    "cleo": ("sponsor", "data-steward"),
    "model": ("model-builder",),
    "guest": (),
}


def public(party: str) -> str:
    return party.encode().hex().ljust(64, "0")


def key(party: str) -> str:
    found = key_id_of(public(party))
    assert found
    return found


def party(id: str, *roles: str, attests: tuple[str, ...] = (), **more: Any) -> Party:
    held = tuple(Role(r, date(2026, 1, 1)) for r in roles)
    return Party(
        id, **{"roles": held, "keys": (Key(public(id), datetime(2026, 1, 1, tzinfo=UTC)),), "attests": attests} | more
    )


AUC = Kpi("auc", "AUC", 0.5, 0.7, date(2026, 12, 31))
CHARTER = Charter(
    project="flights",
    problem="delays",
    phase="proof",
    phases=("proof", "business", "industrial"),
    purposes=(
        Purpose("delay-prediction", "predict delays", datasets=("products.*",)),
        Purpose("maintenance", "plan maintenance", datasets=("clean.*",)),
        Purpose("surveillance", "watch people", allowed=False),
    ),
    gates=(
        Gate(
            "proof",
            criteria=(
                Criterion("quality", "checks.broken", "==", 0),
                Criterion("quarantine", "quarantine.share", "<=", 0.1),
                Criterion("licences", "sources.unlicensed", "==", 0),
                Criterion("suite", "suite.stale", "==", 0),
                Criterion("fresh", "freshness.broken", "==", 0),
                Criterion("auc", "kpi.auc", ">=", 0.65),
            ),
            approvals=(Approval("data-valid", "data-steward"), Approval("results-valid", "business-owner")),
        ),
        Gate("business"),
        Gate("industrial"),
    ),
    parties=(
        party("pipeline", attests=("run", "publication", "release", "evidence")),
        *(party(id, *roles) for id, roles in PEOPLE.items()),
    ),
    grants=(Grant("model-builder", ("products.*",), ("delay-prediction", "surveillance"), {"public": "clear"}),),
    kpis=(AUC,),
)

MANIFEST = Manifest(
    version="1.0.0",
    products=(TableVersion(PRODUCT, "t1", 11, FILES, "c1", "s1"),),
    inputs=(Input("clean.flights", 7, "x1"),),
    producer="pipeline",
    project="flights",
    environment="demo",
)


def decision(
    charter: Charter, who: str, question: str, *, manifest: Manifest = MANIFEST, **more: Any
) -> tuple[str, str, Any]:
    stated = {
        "verdict": "approved",
        "question": question,
        "phase": "proof",
        "gate_digest": charter.gate_digest("proof"),
        "reason": "looked at it",
        "expires": "2026-06-01T00:00:00+00:00",
        "seen": 1000,
        "subjects": release_subjects(manifest),
    }
    return "decision", who, stated | more


def release_subjects(manifest: Manifest) -> tuple[Subject, ...]:
    return tuple(Subject(f"{p.dataset}@{manifest.version}", manifest.digest) for p in manifest.products)


def report(
    outcome: str = "held", *, files: tuple[DataFile, ...] = FILES, who: str = "pipeline", **more: Any
) -> tuple[str, str, Any]:
    def check(name: str, scope: str) -> dict[str, Any]:
        broken = {"name": name, "outcome": outcome, "severity": "critical", "scope": scope, "unexpected_count": 3}
        return broken | {"quarantined": 0}

    stated = {
        "about": "check-report",
        "dataset": PRODUCT,
        "partition": None,
        "on": "published",
        "outcome": outcome,
        "suite_digest": "s1",
        "checks": [check("values_between__delay", "batch"), check("fresh__time", "published")],
        "accounting_outcome": None,
        "personal": {"outcome": "held", "findings": []},
        "subjects": tuple(Subject(f.path, f.sha256) for f in files),
    }
    return "evidence", who, stated | more


def publication(dataset: str = PRODUCT, files: tuple[DataFile, ...] = FILES, **more: Any) -> tuple[str, str, Any]:
    stated = {
        "dataset": dataset,
        "snapshot_id": "11" if dataset == PRODUCT else "7",
        "suite_digest": "s1",
        "licence": "CC0-1.0",
        "accounting": {"computed": 100, "quarantined": 5},
        "subjects": tuple(Subject(f.path, f.sha256) for f in files),
    }
    return "publication", "pipeline", stated | more


def kpi(value: float, *, manifest: Manifest = MANIFEST, who: str = "pipeline", **more: Any) -> tuple[str, str, Any]:
    stated = {"about": "kpi", "kpi": "auc", "value": value, "definition": AUC.definition}
    return "evidence", who, {**stated, "subjects": release_subjects(manifest), **more}


def released(manifest: Manifest = MANIFEST, who: str = "pipeline") -> tuple[str, str, Any]:
    return "release", who, {"manifest": manifest.to_json(), "subjects": release_subjects(manifest)}


@dataclass
class World:
    charter: Charter = CHARTER
    manifest: Manifest = MANIFEST
    facts: list[SignedFact] = field(default_factory=list)
    request: Request = field(
        default_factory=lambda: Request(
            PRODUCT, "1.0.0", MANIFEST.digest, "delay-prediction", "model", "proof", "flights", "demo", True
        )
    )
    now: datetime = NOW

    @classmethod
    def open(cls, **more: Any) -> World:
        world = cls(**more)
        for stated in (
            publication("clean.flights", ()),
            publication(),
            report(),
            released(),
            kpi(0.69),
            decision(world.charter, "ana", "data-valid"),
            decision(world.charter, "bob", "results-valid"),
        ):
            world.add(stated)
        return world

    def add(self, stated: tuple[str, str, Any], *, at: datetime | None = None, environment: str = "demo") -> World:
        kind, who, predicate = stated
        found = dict(predicate)
        subjects = found.pop("subjects", ())
        position = len(self.facts)
        when = at or START + timedelta(minutes=position)
        fact = Fact(kind, subjects, found, when, "flights", environment)
        self.facts.append(SignedFact(position, fact, frozenset({key(who)})))
        return self

    def without(self, kind: str, **match: Any) -> World:
        self.facts = [
            f for f in self.facts if f.fact.kind != kind or any(f.fact.predicate.get(k) != v for k, v in match.items())
        ]
        return self

    def ask(self, **changes: Any) -> World:
        self.request = replace(self.request, **changes)
        return self

    def judge(self, **trust: str) -> Verdict:
        known = {key(p.id): p.id for p in self.charter.parties} | trust
        return verdict(self.request, self.charter, self.facts, self.now, trust=known)

    def reasons(self) -> list[str]:
        return [reason.key for reason in self.judge().reasons]
