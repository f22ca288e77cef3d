"""What the record says about the publications of a release: rows, checks, quarantine, sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from ecluse.model.accounting import ControlTotal, LookUp, RowAccounting
from ecluse.model.facts import SignedFact
from ecluse.model.leaving import waivers
from ecluse.model.outcome import Outcome
from ecluse.report.sheet import Check, Released, Source, Step
from ecluse.step.closure import Closure

_WORST = (Outcome.BROKEN, Outcome.NOT_COMPUTED, Outcome.HELD)


def sources_of(closure: Closure) -> tuple[Source, ...]:
    """Every original that the release rests on."""
    return tuple(
        Source(
            dataset=p["dataset"],
            partition=p.get("partition"),
            origin=raw["origin"],
            sha256=raw["sha256"],
            bytes=raw["bytes"],
            collected_at=publication.fact.at,
            licence=p.get("licence") or None,
            legal_basis=p.get("legal_basis") or None,
        )
        for publication in closure.publications
        for p in (publication.fact.predicate,)
        for raw in p.get("raw") or ()
    )


def steps_of(closure: Closure) -> tuple[Step, ...]:
    """The rows of each dataset on the way, added up over its parts."""
    by_dataset: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for publication in closure.publications:
        by_dataset[publication.fact.predicate["dataset"]].append(publication.fact.predicate)
    return tuple(_step(dataset, found) for dataset, found in by_dataset.items())


def _step(dataset: str, publications: Sequence[dict[str, Any]]) -> Step:
    told = [_accounting(p.get("accounting")) for p in publications]
    known = [a for a in told if a is not None]
    filtered: Counter[str] = Counter()
    for accounting in known:
        filtered.update(accounting.filtered)

    def total(name: str) -> int | None:
        # A sum in which one part is unknown is unknown.
        values = [None if a is None else getattr(a, name) for a in told]
        return None if None in values or not values else sum(v for v in values if v is not None)

    return Step(
        dataset=dataset,
        parts=tuple(p["partition"] for p in publications if p.get("partition")),
        driving_dataset=next((a.driving_dataset for a in known if a.driving_dataset), None),
        driving=total("driving"),
        rejected=total("rejected"),
        filtered=dict(filtered),
        deduplicated=total("deduplicated"),
        computed=total("computed"),
        published=total("published"),
        quarantined=total("quarantined"),
        unexplained=total("unexplained"),
        outcome=worst([Outcome.NOT_COMPUTED if a is None else a.outcome for a in told]),
    )


def _accounting(found: dict[str, Any] | None) -> RowAccounting | None:
    if not found:
        return None
    known = {f.name for f in fields(RowAccounting)}
    given = {k: v for k, v in found.items() if k in known}
    try:
        given["totals"] = tuple(ControlTotal(**t) for t in found.get("totals") or ())
        given["look_ups"] = tuple(LookUp(**t) for t in found.get("look_ups") or ())
        return RowAccounting(**given)
    except TypeError:
        # An account that lacks what every account says is none.
        return None


def checks_of(closure: Closure, facts: Sequence[SignedFact]) -> tuple[Check, ...]:
    """Every expectation of every dataset of the closure: its answers at publication, and the newest since."""
    order = list(dict.fromkeys(p.fact.predicate["dataset"] for p in closure.publications))
    files = closure.files
    made: dict[tuple[str, str | None, frozenset[tuple[str, str]]], SignedFact] = {}
    since: dict[str, SignedFact] = {}
    for fact in facts:
        predicate = fact.fact.predicate
        if (
            fact.fact.kind != "evidence"
            or predicate.get("about") != "check-report"
            or predicate["dataset"] not in order
        ):
            continue
        subjects = frozenset((s.name, s.sha256) for s in fact.fact.subjects)
        if predicate.get("on") == "candidate":
            if subjects and subjects <= files:
                made[predicate["dataset"], predicate.get("partition"), subjects] = fact
        elif subjects & files:
            since[predicate["dataset"]] = fact
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for (dataset, _, _), fact in made.items():
        for check in fact.fact.predicate["checks"]:
            found[dataset, check["name"]].append(check)
    newest = {d: {c["name"]: c for c in f.fact.predicate["checks"]} for d, f in since.items()}
    for dataset, checks in newest.items():
        for name in checks:
            found.setdefault((dataset, name), [])
    merged = [
        _check(
            dataset, name, told, newest.get(dataset, {}).get(name), since[dataset].fact.at if dataset in since else None
        )
        for (dataset, name), told in found.items()
    ]
    return tuple(sorted(merged, key=lambda c: (order.index(c.dataset), _WORST.index(c.outcome), c.name)))


def _check(
    dataset: str, name: str, told: list[dict[str, Any]], again: dict[str, Any] | None, at: datetime | None
) -> Check:
    # NOTE: freshness is asked only of what is published, so a candidate's report may lack a check or not have asked it.
    newest = again or told[-1]
    broke = [c.get("unexpected_count") for c in told or [newest]]
    outcomes = [Outcome(c["outcome"]) for c in told]
    return Check(
        dataset=dataset,
        name=name,
        type=newest["type"],
        kwargs=newest.get("kwargs") or {},
        said=newest.get("said") or {},
        severity=newest["severity"],
        outcome=worst([*outcomes, *([Outcome(again["outcome"])] if again else [])]),
        parts=dict(Counter(outcomes)),
        broke=None if None in broke else sum(b for b in broke if b is not None),
        quarantined=sum(c.get("quarantined") or 0 for c in told),
        messages=tuple(dict.fromkeys(c["message"] for c in [*told, *([again] if again else [])] if c.get("message"))),
        rechecked=Outcome(again["outcome"]) if again else None,
        rechecked_at=at if again else None,
        decided=any(c.get("waived") for c in [*told, again or {}]) and all(map(_decided, [*told, again or {}])),
    )


def _decided(check: Mapping[str, Any]) -> bool:
    """Whether each row that breaks a check was released by a person, if any row does."""
    rows, waived = check.get("unexpected_count"), check.get("waived") or 0
    return check.get("outcome") != Outcome.BROKEN or (rows is not None and waived >= rows)


def released_rows(
    checks: Iterable[Check], facts: Sequence[SignedFact], parties: Mapping[str, str]
) -> tuple[Check, ...]:
    """The checks with the decisions by which rows that break them were published as they are."""
    found = []
    for check in checks:
        decided = [
            Released(
                parties=tuple(sorted(parties.get(id, id[:12]) for id in waiver.key_ids)),
                at=waiver.at,
                rows=sum(check.name in broke for broke in waiver.rows.values()),
                reason=waiver.reason,
                position=waiver.position,
            )
            for waiver in waivers(facts, check.dataset)
        ]
        found.append(replace(check, released=tuple(one for one in decided if one.rows)))
    return tuple(found)


def quarantine_of(closure: Closure) -> dict[tuple[str, str], int]:
    """Rows held back and not let out since, by dataset and check; a row that broke two checks counts for both."""
    found: Counter[tuple[str, str]] = Counter()
    for publication in closure.publications:
        predicate = publication.fact.predicate
        for name, rows in ((predicate.get("quarantine") or {}).get("by_check") or {}).items():
            found[predicate["dataset"], name] += rows
        for name, rows in ((predicate.get("left") or {}).get("by_check") or {}).items():
            found[predicate["dataset"], name] -= rows
    return dict(+found)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some answers; of none, that nothing could be computed."""
    given = set(outcomes)
    return next((o for o in _WORST if o in given), Outcome.NOT_COMPUTED)
