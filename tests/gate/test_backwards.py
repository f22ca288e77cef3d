"""Looking facts up by parts finds what reading all of them would find."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.gate import backwards
from ecluse.gate.backwards import Backwards
from ecluse.model.facts import SignedFact, Subject
from tests.gate.test_verdict_properties import BAD, LACKING, QUESTIONS, world_without
from tests.gate.world import NOW, Fact, decision

WORDS = st.sampled_from(["a", "b", "c"])
ODD = WORDS | st.none() | st.integers(0, 1) | st.lists(WORDS, max_size=1)
FACTS = st.lists(
    st.builds(
        lambda said, names: Fact("evidence", tuple(Subject("file", name) for name in names), said, NOW, "p", "e"),
        st.dictionaries(st.sampled_from(["dataset", "about", "verdict"]), ODD | st.just("kpi")),
        st.lists(WORDS, max_size=2),
    ),
    max_size=12,
)


def text(value):
    return isinstance(value, str)


@settings(deadline=None)
@given(FACTS, WORDS, st.none() | st.integers(0, 13), st.integers(1, 14))
def test_what_is_found_is_what_reading_every_fact_finds(facts, word, before, part):
    with patch.object(backwards, "_PART", part):
        held = Backwards()
        held.facts += [SignedFact(n, fact) for n, fact in enumerate(facts)]
        newest_first = [s for s in reversed(held.facts) if before is None or s.position < before]
        assert list(held.until(before)) == newest_first[::-1]
        for by, holds in [
            (backwards.dataset, lambda f: f.predicate.get("dataset") == word),
            (backwards.digests, lambda f: word in [s.sha256 for s in f.subjects]),
            (
                backwards.observed,
                lambda f: f.predicate.get("about") == "kpi" and word in [s.sha256 for s in f.subjects],
            ),
        ]:
            assert list(held.found(by, word, before)) == [s for s in newest_first if holds(s.fact)]
        for names in ((), ("about",), ("about", "verdict")):
            wanted = tuple(word for _ in names)
            said = [s for s in newest_first if tuple(s.fact.predicate.get(name) for name in names) == wanted]
            assert list(held.found(backwards.saying(*names), wanted, before)) == said


#: Answers about other releases and of other days, of which most explain nothing.
OTHERS = st.builds(
    lambda who, question, digest, standing, day: decision(
        world_without({}).charter,
        who,
        question,
        subjects=(Subject("products.delays@0.9.0", digest * 64),),
        standing=standing,
        expires=day,
    ),
    st.sampled_from(["ana", "bob", "cleo", "stranger"]),
    QUESTIONS,
    st.sampled_from(["e", "f"]),
    st.booleans(),
    st.sampled_from(["2026-12-01", "2026-01-01"]),
)


@settings(max_examples=60, deadline=None)
@given(LACKING, st.lists(BAD | OTHERS, max_size=8), st.integers(1, 5))
def test_a_verdict_says_the_same_whatever_the_parts(lacking, stated, part):
    world = world_without(lacking)
    for one in stated:
        world.add(one)
    whole = world.judge()
    with patch.object(backwards, "_PART", part):
        assert world.judge() == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(OTHERS, min_size=1, max_size=8))
def test_of_the_answers_about_other_releases_the_newest_of_each_party_explains(others):
    world = world_without({"kind": "decision"})
    for one in others:
        world.add(one)
    newest = {}
    for signed, (_, who, said) in zip(world.facts[-len(others) :], others, strict=True):
        # A stranger may be another one each time.
        known = who if who != "stranger" else signed.position
        newest[known, said["question"]] = signed.position
    explained = {r.facts[0] for r in world.judge().reasons if r.key == "approval_other_release"}
    asked = ("data-valid", "results-valid")
    assert explained == {position for (_, question), position in newest.items() if question in asked}
