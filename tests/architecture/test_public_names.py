"""What ``import ecluse`` offers: sorted, complete, and all of it there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ecluse


def test_public_names_are_sorted():
    assert list(ecluse.__all__) == sorted(ecluse.__all__)


def test_public_names_and_their_homes_are_the_same():
    assert set(ecluse.__all__) == set(ecluse._HOMES)


def test_what_a_type_checker_sees_is_what_is_offered():
    tree = ast.parse(Path(ecluse.__file__).read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == set(ecluse.__all__)


@pytest.mark.parametrize("name", ecluse.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(ecluse, name).__doc__


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"contract.*load"):
        _ = ecluse.contract


def test_every_exception_is_drawn_in_the_tree():
    drawn = ecluse.errors.__doc__
    kinds = [k for k in vars(ecluse.errors).values() if isinstance(k, type) and issubclass(k, Exception)]
    assert [k.__name__ for k in kinds if k.__name__ not in drawn] == []
