"""The latest release: the newest one, save the patch of an older version, and never an older one for one that was stopped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.model.facts import Fact, Subject
from ecluse.model.latest import latest, semantic, version_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
VERSIONS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)).map(lambda n: "{}.{}.{}".format(*n)),
    min_size=1,
    unique=True,
)


def fact(kind, version, predicate):
    return Fact(kind, (Subject(f"a@{version}", version),), predicate, AT, "p", "dev")


def release(version, *products):
    named = [{"dataset": product} for product in products or ("a",)]
    return fact("release", version, {"manifest": {"version": version, "products": named}})


def withdrawal(version):
    return fact("decision", version, {"verdict": "withdrawn"})


def story(told):
    """Releases by their version; ``-`` in front withdraws one."""
    return [withdrawal(word[1:]) if word.startswith("-") else release(word) for word in told.split()]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("1.0.0", "1.0.0"),
        ("1.0.0 1.0.1", "1.0.1"),
        ("1.9.0 1.10.0", "1.10.0"),
        # The patch of an older version is for those who name it.
        ("1.4.0 2.0.0 1.4.1", "2.0.0"),
        ("1.4.0 2.0.0 1.4.1 2.0.1", "2.0.1"),
        # No older one takes the place of one that was withdrawn, and the next one does, whatever its number.
        ("1.0.0 2.0.0 -2.0.0", "2.0.0"),
        ("1.4.0 2.0.0 1.4.1 -2.0.0", "2.0.0"),
        ("1.0.0 10.0.0 -10.0.0 1.1.0", "1.1.0"),
        ("1.0.0 1.1.0 -1.0.0", "1.1.0"),
        # A name that is no version is as new as its release.
        ("1.0.0 2024-spring", "2024-spring"),
        ("2024-spring 2024-autumn", "2024-autumn"),
        ("2024-spring 1.0.0", "1.0.0"),
    ],
)
def test_the_latest_is(told, expected):
    assert version_of(latest(story(told), ["a"])) == expected


def test_it_holds_everything_that_is_asked_for():
    facts = [release("1.0.0", "a", "b"), release("2.0.0", "a")]
    assert version_of(latest(facts, ["a", "b"])) == "1.0.0"
    assert latest(facts, ["c"]) is None
    assert latest([], ["a"]) is None


@given(VERSIONS)
def test_of_numbers_alone_it_is_the_highest(versions):
    found = latest([release(version) for version in versions], ["a"])
    assert semantic(version_of(found)) == max(map(semantic, versions))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=12))
def test_a_withdrawal_alone_moves_nobody_to_another_release(events):
    facts, before = [], None
    for withdraws, number in events:
        facts.append((withdrawal if withdraws else release)(f"{number}.0.0"))
        now = latest(facts, ["a"])
        assert not withdraws or now is before
        before = now


@pytest.mark.parametrize("odd", [None, 7, "x", {}, {"version": 7, "products": [7]}, {"products": {"a": 1}}])
def test_a_malformed_release_is_none(odd):
    facts = [release("1.0.0"), fact("release", "x", {"manifest": odd})]
    assert version_of(latest(facts, ["a"])) == "1.0.0"


def test_numbers_too_long_to_read_are_a_name():
    assert semantic("1.0." + "9" * 5000) == ()
