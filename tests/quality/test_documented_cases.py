"""The cases that GX's own documentation shows, read from its docstrings: what they say holds here, and how GX tells it.

GX's documentation has slips, so that GX itself is the oracle; where it can't answer on pandas, its documentation is.
"""

import re
import textwrap
import warnings

import pandas as pd
import pytest

from ecluse.quality import gx, validate
from ecluse.quality.types import EXPECTATIONS as TYPES
from tests.quality.test_same_as_gx import assert_same, raised

CASE = re.compile(r"(Passing|Failing) Case:\s+Input:\s+(.*?)\s+Output:", re.DOTALL)


def table(text):
    """The frame in a docstring: a heading line, and lines that begin with a row's number."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    names = lines[0].split()
    rows = [re.findall(r'"[^"]*"|\'[^\']*\'|\S+', line)[1:] for line in lines[1:]]
    return pd.DataFrame({name: [value(row[i]) for row in rows] for i, name in enumerate(names)}, columns=names)


def value(text):
    text = text.strip(",")
    if text in ("None", "NaN", "null"):
        return None
    if text[:1] in "\"'":
        return text[1:-1]
    return float(text) if "." in text else int(text) if re.fullmatch(r"-?\d+", text) else text


def documented():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expectations = gx.expectations()
        registry = gx.module("great_expectations.expectations.registry")
        names = {name: getattr(expectations, name) for name in dir(expectations) if name[:1].isupper()}
        for name in sorted(registry.list_registered_expectation_implementations()):
            text = registry.get_expectation_impl(name).__doc__ or ""
            found = re.search(r"Example Data:\n(.*?)\n\s*Code Examples:", text, re.DOTALL)
            if not found or not registry.get_expectation_impl(name).__module__.startswith("great_expectations."):
                continue
            for kind, call in CASE.findall(text):
                try:
                    asked = table(found[1]), eval(textwrap.dedent(call), dict(names))
                except (SyntaxError, TypeError, NameError, IndexError):
                    # Not written as data and as a call.
                    continue
                yield pytest.param(*asked, kind == "Passing", id=f"{name} {kind}")


CASES = list(documented())


def test_nearly_every_expectation_documents_cases():
    assert len(CASES) >= 90


@pytest.mark.parametrize(("frame", "asked", "holds"), CASES)
def test_documented_cases_are_answered_as_gx_answers_them(great_expectations, suite_of, frame, asked, holds):
    suite = suite_of(asked)
    if "[" in str(getattr(asked, "like_pattern", getattr(asked, "like_pattern_list", ""))):
        # The patterns of one database: in standard SQL brackets stand for themselves.
        assert validate(frame, suite).results[0].success is ("not" in asked.expectation_type)
        return
    theirs = great_expectations(frame, suite, "COMPLETE").results[0]
    if raised(theirs):
        mine = validate(frame, suite).results[0]
        assert raised(mine) or mine.success is holds
    elif asked.expectation_type in TYPES:
        # What is observed goes by the names of SQL.
        assert validate(frame, suite).results[0].success is theirs.success
    else:
        assert_same(great_expectations, frame, suite, "COMPLETE")
