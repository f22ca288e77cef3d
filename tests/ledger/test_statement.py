"""A fact comes back from its statement as it was, and what states no fact exactly is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.ledger import canonical, parse
from ecluse.ledger.statement import read_statement, statement
from ecluse.model.facts import KINDS, Fact, Subject

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ZONES = st.just(UTC) | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FACTS = st.builds(
    Fact,
    kind=st.sampled_from(KINDS),
    subjects=st.lists(st.builds(Subject, TEXT, TEXT), max_size=3).map(tuple),
    predicate=st.dictionaries(TEXT, JSON, max_size=4).map(
        lambda said: {name: value for name, value in said.items() if name not in ("at", "project", "environment")}
    ),
    at=st.datetimes(timezones=ZONES),
    project=TEXT,
    environment=TEXT,
)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATED = statement(Fact("read", (Subject("a", "b"),), {"n": 1}, AT, "flights", "dev"))


@given(FACTS)
def test_a_fact_comes_back_from_its_statement_as_it_was(fact):
    stated = read_statement(canonical(statement(fact)))
    assert stated.fact == fact
    assert (stated.kind, stated.at.isoformat()) == (fact.kind, fact.at.isoformat())
    assert stated.named == sorted({(subject.name, subject.sha256) for subject in fact.subjects})


@given(FACTS, st.sampled_from(["statement", "predicate", "subject"]), st.data())
def test_what_is_read_is_stated_to_the_letter(fact, place, data):
    """Whatever somebody puts into a statement: it is refused, or a fact says just that."""
    said = parse(canonical(statement(fact)))
    into = {"statement": said, "predicate": said["predicate"], "subject": next(iter(said["subject"]), said)}[place]
    into[data.draw(st.sampled_from(["more", *into]))] = data.draw(JSON)
    try:
        stated = read_statement(canonical(said))
    except (ValueError, KeyError, TypeError):
        return
    assert statement(stated.fact) == said


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((["_type"], "https://in-toto.io/Statement/v0.1"), (["predicateType"], "https://ecluse.dev/fact/run/v9")),
        *((["more"], 1), (["subject"], None), (["predicate"], []), (["subject", 0, "more"], 1)),
        *((["subject", 0, "digest", "sha512"], "c"), (["subject", 0, "digest"], {}), (["subject", 0, "name"], 1)),
        *((["predicate", "at"], at) for at in ("2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00:00Z", 1, None)),
        *((["predicate", "at"], at) for at in ("20260301T120000+0000", "2026-W09-7T12:00:00+00:00")),
        *((["predicate", name], value) for name in ("project", "environment") for value in (1, None)),
    ],
)
def test_what_states_no_fact_is_refused(path, value):
    said = json.loads(json.dumps(STATED))
    into = said
    for name in path[:-1]:
        into = into[name]
    read_statement(canonical(said))
    into[path[-1]] = value
    with pytest.raises((ValueError, TypeError)):
        read_statement(canonical(said))


@pytest.mark.parametrize("name", ["_type", "subject", "predicate", "predicateType"])
def test_a_statement_needs_each_of_its_parts(name):
    with pytest.raises(ValueError):
        read_statement(canonical({part: value for part, value in STATED.items() if part != name}))


@pytest.mark.parametrize("name", ["at", "project", "environment"])
def test_a_predicate_says_when_and_where(name):
    predicate = {part: value for part, value in STATED["predicate"].items() if part != name}
    with pytest.raises(KeyError):
        read_statement(canonical({**STATED, "predicate": predicate}))


def test_another_writing_of_a_statement_is_refused():
    read_statement(canonical(STATED))
    with pytest.raises(ValueError, match="canonical"):
        read_statement(json.dumps(STATED).encode())
