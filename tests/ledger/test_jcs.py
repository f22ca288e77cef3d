"""Canonical JSON is that of RFC 8785, by the short way and by the long one, and what is recognised is just that."""

import json
import uuid
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ecluse.errors import LedgerError
from ecluse.ledger import canonical, parse, sign
from ecluse.ledger.jcs import parse_canonical

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_the_short_way_writes_what_the_long_one_writes(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(value=JSON, sloppy=st.booleans(), ascii=st.booleans(), ordered=st.booleans())
def test_what_is_taken_as_canonical_is_exactly_what_the_standard_writes(value, sloppy, ascii, ordered):
    separators = (", ", ": ") if sloppy else (",", ":")
    for text in (
        rfc8785.dumps(value),
        json.dumps(value, separators=separators, ensure_ascii=ascii, sort_keys=ordered).encode(),
    ):
        if text == rfc8785.dumps(parse(text)):
            assert parse_canonical(text) == parse(text)
        else:
            with pytest.raises(ValueError):
                parse_canonical(text)


def test_every_character_is_written_as_the_standard_says():
    # NOTE: one by one, because the short way is right only as long as msgspec escapes just what RFC 8785 escapes.
    for code in (*range(0xD800), *range(0xE000, 0x10100)):
        assert canonical(chr(code)) == rfc8785.dumps(chr(code))


NEAR = st.integers(-2, 2).map(lambda n: 2**53 + n) | st.integers(10**15, 10**24) | st.floats(1e14, 1e24).map(int)


@given(st.sampled_from(["{}", "[{}]", "[0,{}]", '{{"a":{}}}', '{{"a":[{}]}}']), NEAR, st.sampled_from(["", "-"]))
def test_whole_numbers_that_are_too_large_are_floats_or_nothing(frame, number, sign):
    text = frame.format(f"{sign}{number}").encode()
    try:
        expected = rfc8785.dumps(parse(text)) == text
    except rfc8785.CanonicalizationError:
        expected = False
    if expected:
        assert parse_canonical(text) == parse(text)
    else:
        with pytest.raises(ValueError):
            parse_canonical(text)


@pytest.mark.parametrize(
    "text",
    [
        *("1.0", "1e16", "1E1", "-0", "0.0000001", "9007199254740993", "NaN", "[Infinity]", "{", ""),
        *('{"b":1,"a":2}', '{"a":1,"a":1}', '{"\ufb33":2,"\U0001f600":1}', '{"a":1} ', "[1, 2]", '"\\u00e9"'),
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_other_writings_of_a_value_are_not_canonical(text):
    with pytest.raises(ValueError):
        parse_canonical(text.encode())


@pytest.mark.parametrize("text", [b"\xff", b'"\xed\xa0\x80"', b'"\xc0\xaf"', '"a"'.encode("utf-16")])
def test_what_is_no_utf_8_is_not_canonical(text):
    with pytest.raises(ValueError):
        parse_canonical(text)


@given(JSON)
def test_canonical_json_is_read_back_equal_and_written_the_same(value):
    written = canonical(value)
    assert parse(written) == value
    assert canonical(parse(written)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'.encode()),
        ([1.0, -0.0, 1e21, 1e-7, 333333333.33333329], b"[1,0,1e+21,1e-7,333333333.3333333]"),
        ("\u20ac$\x0f\nA'\"\\", '"\u20ac$\\u000f\\nA\'\\"\\\\"'.encode()),
    ],
)
def test_canonical_json_is_that_of_rfc_8785(value, written):
    assert canonical(value) == written


@pytest.mark.parametrize("value", [2**53, float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_carry_exactly_is_not_signed(value, fact, service):
    with pytest.raises(LedgerError) as caught:
        sign(fact(value=value), service)
    assert caught.value.key == "ledger.unsignable"


@pytest.mark.parametrize("value", [uuid.UUID(int=1), Decimal("1.5"), b"bytes", object(), {"a": [uuid.UUID(int=1)]}])
def test_what_is_no_json_value_is_not_signed(value):
    with pytest.raises(LedgerError):
        canonical(value)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", ""])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


def test_what_is_nested_too_deeply_is_refused():
    with pytest.raises(ValueError, match="deeply"):
        parse("[" * 100_000)
