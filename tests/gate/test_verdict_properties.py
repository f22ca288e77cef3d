from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.gate import release_verdict, verdict
from ecluse.model.charter import Approval, Criterion
from ecluse.model.facts import KINDS, Fact, SignedFact, Subject
from tests.gate.world import CHARTER, MANIFEST, NOW, PRODUCT, World, decision, key, kpi, released, report

WHO = st.sampled_from(["pipeline", "ana", "bob", "cleo", "guest", "model", "stranger"])
QUESTIONS = st.sampled_from(["data-valid", "results-valid", "scale", ""])

#: Facts that speak against a release, or that nobody may state, or that bind to something else.
BAD = st.one_of(
    st.builds(report, st.sampled_from(["broken", "not_computed", "odd"])),
    st.builds(kpi, st.floats(-1, 0.6)),
    st.builds(report, who=st.sampled_from(["ana", "stranger"])),
    st.builds(kpi, st.just(0.99), who=st.sampled_from(["ana", "stranger"])),
    st.builds(lambda who: released(who=who), st.sampled_from(["ana", "stranger"])),
    st.builds(
        lambda who, question, verdict, gate, phase, expires: decision(
            CHARTER, who, question, verdict=verdict, gate_digest=gate, phase=phase, expires=expires
        ),
        WHO,
        QUESTIONS,
        st.sampled_from(["rejected", "withdrawn"]),
        st.sampled_from([CHARTER.gate_digest("proof"), "0" * 64]),
        st.sampled_from(["proof", "business", "?"]),
        st.sampled_from(["2026-12-01", "2026-01-01", None]),
    ),
    st.builds(
        lambda who, question, void: decision(CHARTER, who, question, **void),
        WHO,
        QUESTIONS,
        st.sampled_from(
            [{"gate_digest": "0" * 64}, {"expires": "2026-01-01"}, {"phase": "business"}, {"subjects": ()}]
        ),
    ),
)

#: Worlds that are open, or lack something.
LACKING = st.sampled_from(
    [
        {},
        {"kind": "release"},
        {"kind": "evidence", "about": "kpi"},
        {"kind": "evidence", "about": "check-report"},
        {"kind": "publication", "dataset": PRODUCT},
        {"kind": "decision", "question": "data-valid"},
        {"kind": "decision"},
    ]
)


def world_without(lacking):
    world = World.open()
    return world.without(**lacking) if lacking else world


@settings(max_examples=150, deadline=None)
@given(LACKING, st.lists(BAD, min_size=1, max_size=6))
def test_more_bad_evidence_never_opens(lacking, bad):
    world = world_without(lacking)
    before = world.judge()
    for stated in bad:
        world.add(stated)
        after = world.judge()
        assert before.opens or not after.opens
        before = after


@settings(max_examples=60, deadline=None)
@given(LACKING, st.lists(BAD, max_size=3), st.sampled_from(["care", "advertising", "?"]), WHO)
def test_what_is_said_of_a_release_is_said_to_whoever_reads_it(lacking, bad, purpose, reader):
    world = world_without(lacking)
    for stated in bad:
        world.add(stated)
    world.request = replace(world.request, purpose=purpose, reader=reader)
    asked = world.judge()
    known = {key(p.id): p.id for p in world.charter.parties}
    of_release = release_verdict(world.request, world.charter, world.facts, world.now, trust=known)
    nobodys = replace(world.request, purpose="", reader=None, authenticated=False)
    assert of_release == release_verdict(nobodys, world.charter, world.facts, world.now, trust=known)
    assert set(map(repr, of_release.reasons)) <= set(map(repr, asked.reasons))
    assert of_release.approvals == asked.approvals


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["data-valid", "results-valid"]),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.booleans(),
)
def test_an_approval_counts_only_for_the_digests_that_it_names(question, digest, gate):
    world = World.open().without("decision", question=question)
    who = {"data-valid": "ana", "results-valid": "bob"}[question]
    wrong = {"gate_digest": digest} if gate else {"subjects": (Subject(f"{PRODUCT}@1.0.0", digest),)}
    assert not world.add(decision(CHARTER, who, question, **wrong)).judge().opens
    assert world.add(decision(CHARTER, who, question)).judge().opens


TIGHTER = st.one_of(
    st.builds(
        lambda value: (
            lambda gate: replace(gate, criteria=(*gate.criteria, Criterion("more", "checks.broken", "<=", value)))
        ),
        st.floats(0, 100),
    ),
    st.builds(
        lambda count: lambda gate: replace(gate, approvals=(*gate.approvals, Approval("extra", "sponsor", count))),
        st.integers(1, 3),
    ),
    st.builds(
        lambda cut: lambda gate: replace(gate, criteria=(replace(gate.criteria[1], value=cut), *gate.criteria[2:])),
        st.floats(0, 0.09),
    ),
)


@settings(max_examples=60, deadline=None)
@given(TIGHTER)
def test_tightening_the_gate_voids_every_approval(tighten):
    world = World.open()
    gates = (tighten(CHARTER.gates[0]), *CHARTER.gates[1:])
    world.charter = replace(CHARTER, gates=gates)
    found = world.judge()
    assert not found.opens
    assert found.approvals == ()
    assert {r.key for r in found.reasons} >= {"approval_missing", "approval_old_gate"}


@settings(max_examples=60, deadline=None)
@given(st.integers(-400, 400))
def test_time_alone_opens_nothing_that_expired(days):
    world = World.open()
    world.now = NOW + timedelta(days=days)
    expired = world.now >= datetime(2026, 6, 1, tzinfo=UTC)
    assert not (expired and world.judge().opens)


@settings(deadline=None)
@given(st.permutations(range(7)))
def test_the_order_in_which_facts_are_handed_over_changes_nothing(order):
    world = World.open()
    expected = world.judge()
    world.facts = [world.facts[i] for i in order]
    assert world.judge() == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "about",
        "dataset",
        "checks",
        "outcome",
        "verdict",
        "question",
        "expires",
        "seen",
        "manifest",
        "accounting",
        "kpi",
        "value",
        "suite_digest",
        "licence",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6), NAMES, JSON, st.booleans())
def test_a_malformed_fact_never_raises(position, name, value, newer):
    world = World.open()
    found = world.facts[position]
    predicate = copy.deepcopy(found.fact.predicate)
    inside = predicate.get("manifest")
    if isinstance(inside, dict) and isinstance(value, dict):
        inside.update(value)
    predicate[name] = value
    broken = replace(found, fact=replace(found.fact, predicate=predicate))
    if newer:
        world.facts.append(replace(broken, position=99))
    else:
        world.facts[position] = broken
    for reason in world.judge().reasons:
        assert reason.text()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(NAMES, JSON, max_size=5),
    st.datetimes(timezones=st.just(UTC)) | st.datetimes(),
    st.sets(WHO.map(key) | st.text(max_size=4), max_size=2),
)
def test_any_fact_gets_a_verdict(kind, predicate, at, keys):
    fact = Fact(kind, (Subject(f"{PRODUCT}@1", MANIFEST.digest),), predicate, at, "flights", "demo")
    found = verdict(
        World().request, CHARTER, [SignedFact(0, fact, frozenset(keys))], at, trust={key("pipeline"): "pipeline"}
    )
    assert not found.opens
    assert all(reason.text("fr") for reason in found.reasons)
