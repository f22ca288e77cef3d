"""What a verdict costs in a project with a long history: ``python -m benchmarks.verdict_cost --facts 10000``.

All facts are about the datasets that the release is made of, which is the worst case: daily checks of what is
published, weekly publications, a release a week with its observation and answers, and a project in its last phase, so
that the phases before it are looked back at. Each figure is CPU time of one verdict, from facts that are read already.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ecluse.gate import verdict
from ecluse.gate.book import key_id_of
from ecluse.model.charter import Approval, Charter, Criterion, Gate, Grant, Key, Kill, Kpi, Party, Purpose, Role
from ecluse.model.facts import Fact, SignedFact, Subject
from ecluse.model.release import DataFile, Input, Manifest, TableVersion
from ecluse.model.verdict import Request

START = datetime(2020, 1, 1, tzinfo=UTC)
PRODUCTS = ("products.a", "products.b")
INPUTS = tuple(f"clean.{n}" for n in range(6))
FILES = 12
PHASES = ("proof", "business", "robust", "industrial")
AUC = Kpi("auc", "AUC", 0.5, 0.7, date(2030, 1, 1))
CRITERIA = (
    Criterion("checks", "checks.broken", "==", 0),
    Criterion("quarantine", "quarantine.share", "<=", 0.1),
    Criterion("licences", "sources.unlicensed", "==", 0),
    Criterion("suites", "suite.stale", "==", 0),
    Criterion("fresh", "freshness.broken", "==", 0),
    Criterion("auc", "kpi.auc", ">=", 0.6, releases=3),
)
PEOPLE = ("steward", "owner", "sponsor")


def charter() -> Charter:
    """A project in its last phase, each gate of which asks two people or three."""
    born = datetime(2019, 1, 1, tzinfo=UTC)

    def party(id: str, *roles: str, attests: tuple[str, ...] = ()) -> Party:
        held = tuple(Role(role, born.date()) for role in roles)
        return Party(id, held, (Key(_public(id), born),), attests)

    return Charter(
        "bench",
        "",
        PHASES[-1],
        PHASES,
        (Purpose("study", "study"),),
        tuple(
            Gate(phase, CRITERIA, tuple(Approval(f"{who}-says", who) for who in PEOPLE), standing_days=90)
            for phase in PHASES
        ),
        (
            party("pipeline", attests=("run", "publication", "release", "evidence")),
            party("reader", "reader"),
            *(party(who, who) for who in PEOPLE),
        ),
        (Grant("reader", ("products.*",), ("study",), {"public": "clear"}),),
        (AUC,),
        kill_criterion=Kill("no better than chance", "auc", "<", 0.5, releases=3),
        log_within_days=30,
    )


def history(charter: Charter, count: int) -> tuple[list[SignedFact], Manifest]:
    """About ``count`` facts, the newest release last, and its manifest."""
    found: list[SignedFact] = []
    newest = None

    def add(kind: str, who: str, subjects: tuple[Subject, ...], said: dict[str, Any]) -> None:
        at = START + timedelta(hours=len(found))
        found.append(SignedFact(len(found), Fact(kind, subjects, said, at, "bench", "dev"), frozenset({_key(who)})))

    week = 0
    while len(found) < count - 60 or newest is None:
        week += 1
        for dataset in INPUTS:
            add(
                "publication",
                "pipeline",
                (Subject(f"{dataset}/{week}", _sha(dataset, week)),),
                _published(dataset, week),
            )
        for dataset in PRODUCTS:
            changed = (Subject(f"{dataset}/{week % FILES}", _sha(dataset, week)),)
            add("publication", "pipeline", changed, _published(dataset, week))
            add("evidence", "pipeline", changed, _report(dataset, "candidate"))
        for _ in range(7):
            for dataset in PRODUCTS:
                add("evidence", "pipeline", _subjects(dataset, week), _report(dataset, "published"))
            add("run", "pipeline", (), {"dataset": PRODUCTS[0], "partition": None, "outcome": "published"})
        newest = _manifest(week)
        about = tuple(Subject(f"{p.dataset}@{newest.version}", newest.digest) for p in newest.products)
        add("release", "pipeline", about, {"manifest": newest.to_json()})
        said = {"about": "kpi", "kpi": "auc", "value": 0.69, "definition": AUC.definition, "dataset": PRODUCTS[0]}
        add("evidence", "pipeline", about, said)
        # NOTE: the first releases go through the earlier phases; later ones are of the last.
        phase = PHASES[min(week // 5, len(PHASES) - 1)]
        for who in PEOPLE:
            add("decision", who, about, _answer(charter, phase, f"{who}-says", len(found)))
    return found, newest


def measure(count: int) -> dict[str, float]:
    """CPU milliseconds of a verdict on the newest release, and of one that nobody approved."""
    law = charter()
    facts, manifest = history(law, count)
    now = facts[-1].fact.at + timedelta(hours=1)
    request = Request(
        PRODUCTS[0],
        manifest.version,
        manifest.digest,
        "study",
        "reader",
        PHASES[-1],
        "bench",
        "dev",
        authenticated=True,
    )
    trust = {_key(party.id): party.id for party in law.parties}
    unapproved = [f for f in facts if f.fact.kind != "decision" or f.position < facts[-1].position - 2]
    assert verdict(request, law, facts, now, trust=trust).opens, verdict(request, law, facts, now, trust=trust).reasons
    assert not verdict(request, law, unapproved, now, trust=trust).opens
    earlier = replace(law, phase=PHASES[0])
    first = replace(request, phase=PHASES[0])
    return {
        "facts": len(facts),
        "open": _milliseconds(lambda: verdict(request, law, facts, now, trust=trust)),
        "refused": _milliseconds(lambda: verdict(request, law, unapproved, now, trust=trust)),
        "first_phase": _milliseconds(lambda: verdict(first, earlier, facts, now, trust=trust)),
    }


def _manifest(week: int) -> Manifest:
    products = tuple(
        TableVersion(
            dataset,
            dataset,
            week,
            tuple(DataFile(s.name, s.sha256, 100, 4096) for s in _subjects(dataset, week)),
            f"c-{dataset}",
            "suite",
        )
        for dataset in PRODUCTS
    )
    inputs = tuple(Input(dataset, week, "content") for dataset in INPUTS)
    return Manifest(f"1.0.{week}", products, inputs, "pipeline", "bench", "dev")


def _subjects(dataset: str, week: int) -> tuple[Subject, ...]:
    """The files of a dataset after a week: one of them is new."""
    weeks = range(max(1, week - FILES + 1), week + 1)
    return tuple(Subject(f"{dataset}/{one % FILES}", _sha(dataset, one)) for one in weeks)


def _published(dataset: str, week: int) -> dict[str, Any]:
    accounting = {"computed": 100, "published": 99, "quarantined": 1}
    said = {"dataset": dataset, "snapshot_id": str(week), "suite_digest": "suite", "licence": "CC0-1.0"}
    return {**said, "partition": None, "update": "replace", "accounting": accounting, "columns": [{"name": "a"}] * 20}


def _report(dataset: str, on: str) -> dict[str, Any]:
    checks = [{"name": f"check-{n}", "outcome": "held", "severity": "critical", "scope": "batch"} for n in range(20)]
    checks.append({"name": "fresh", "outcome": "held", "severity": "critical", "scope": "published"})
    said = {"about": "check-report", "dataset": dataset, "partition": None, "on": on, "outcome": "held"}
    said |= {"suite_digest": "suite", "checks": checks, "accounting_outcome": "held"}
    return {**said, "personal": {"outcome": "held", "findings": []}}


def _answer(charter: Charter, phase: str, question: str, seen: int) -> dict[str, Any]:
    said = {"verdict": "approved", "question": question, "phase": phase, "gate_digest": charter.gate_digest(phase)}
    return {**said, "reason": "counted", "expires": "2099-01-01T00:00:00+00:00", "seen": seen}


def _sha(dataset: str, week: int) -> str:
    return f"{week:08x}{dataset.encode().hex():0<56}"


def _public(party: str) -> str:
    return party.encode().hex().ljust(64, "0")


def _key(party: str) -> str:
    found = key_id_of(_public(party))
    assert found is not None
    return found


def _milliseconds(work: Any, times: int = 25) -> float:
    used = []
    for _ in range(times):
        before = time.process_time()
        work()
        used.append((time.process_time() - before) * 1000)
    return statistics.median(used)


def main() -> None:
    """Print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.facts)
    if given.json:
        print(json.dumps(found))
        return
    print(f"a verdict with {found['facts']:,.0f} facts, all about the release's own datasets (median of 25, CPU)")
    print(f"  open, in the last of four phases   {found['open']:.1f} ms (bar: 20)")
    print(f"  refused, with every reason         {found['refused']:.1f} ms (bar: 20)")
    print(f"  in the first phase                 {found['first_phase']:.1f} ms (bar: 20)")


if __name__ == "__main__":
    main()
