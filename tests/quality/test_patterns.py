import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine, literal
from ecluse.quality.batch import Unknown
from ecluse.quality.patterns import translate

PORTABLE = [
    r"^[A-Z]{3}$",
    r"^N[1-9]\d{0,4}$",
    r"^(EWR|LGA|JFK)$",
    r"a.c",
    r"(?s)a.c",
    r"[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"a|b$",
    r"^a*?b+$",
    r"x\Z",
    r"\bab\b",
    r"(?i)^AbC",
    r"\S\D\W",
    r"[\W\d]",
    r"[^\w]",
    r"é|ß",
    r"[\]\-^]",
    r"a{2,}",
    r"()",
    r"(a|)b",
]
ONLY_PYTHON = [
    r"(?=a)",
    r"(?<!a)b",
    r"(a)\1",
    r"(a$)b",
    r"\B",
    r"(?m)^a",
    r"(?a)\d",
    r"(?>a)",
    r"a++",
    r"(?i)é",
    r"(?x) a",
    r"(?(1)a|b)",
]
TEXTS = st.text(st.sampled_from("abcABCN019 xé٣ß@.\n\t-_]^\x1c\u2028ſK"), max_size=6)


@pytest.fixture(scope="module")
def engine():
    with Engine() as engine:
        yield engine


@settings(max_examples=300, deadline=None)
@given(pattern=st.sampled_from(PORTABLE), text=TEXTS)
def test_a_translated_pattern_matches_what_python_matches(engine, pattern, text):
    found = translate(pattern)
    if found.ascii_only and not text.isascii():
        return
    matches = engine.scalar(f"SELECT regexp_matches({literal(text)}, {literal(found.re2)})")
    assert matches == (re.search(pattern, text) is not None), found


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\S", "^", "$", r"\b", r"\Z", r"\.", "é"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
        inner.map("({})".format),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(pattern=PATTERNS, text=st.text(st.sampled_from("ab1é.\n "), max_size=5))
def test_any_pattern_that_translates_matches_what_python_matches(engine, pattern, text):
    try:
        found = translate(pattern)
    except Unknown:
        return
    if found.ascii_only and not text.isascii():
        return
    matches = engine.scalar(f"SELECT regexp_matches({literal(text)}, {literal(found.re2)})")
    assert matches == (re.search(pattern, text) is not None), found


@pytest.mark.parametrize("pattern", ONLY_PYTHON)
def test_what_means_something_else_in_re2_stays_with_python(pattern):
    with pytest.raises(Unknown):
        translate(pattern)


@pytest.mark.parametrize("pattern", PORTABLE)
def test_common_patterns_translate(pattern):
    assert translate(pattern)
