"""Texts: both languages say the same, and every error and text that the code names is there."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecluse
from ecluse import texts

PACKAGE = Path(ecluse.__file__).parent
SOURCES = [p for p in sorted(PACKAGE.rglob("*.py")) if "scaffold" not in p.parts]
LAYERS = sorted({p.stem for p in (PACKAGE / "texts").glob("*/*.toml")})
#: Every exception of ``ecluse.errors``: what raises one names its text.
ERRORS = {
    name
    for name, kind in vars(ecluse.errors).items()
    if isinstance(kind, type) and issubclass(kind, ecluse.errors.EcluseError)
}


def flat(found: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def fields(text: str) -> list[str]:
    return sorted({name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name})


def read(lang: str, layer: str) -> dict[str, str]:
    return dict(flat(tomllib.loads((PACKAGE / "texts" / lang / f"{layer}.toml").read_text("utf-8"))))


def raised_keys() -> list[tuple[str, str]]:
    """(where, key) of every error whose key is written in the code."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in ERRORS and isinstance(node.args[0].value, str):
                    found.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[0].value))
    return found


def said_keys() -> list[tuple[str, str]]:
    """(where, key) of every text whose key is written in the code as ``say("layer.key")``."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name == "say" and re.match(r"^[a-z_]+\.", str(node.args[0].value)):
                    found.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[0].value))
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_both_languages_have_the_same_texts_with_the_same_fields(layer):
    english, french = read("en", layer), read("fr", layer)
    assert english.keys() == french.keys()
    assert {k: fields(v) for k, v in english.items()} == {k: fields(v) for k, v in french.items()}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_text_is_empty_or_left_in_english(layer):
    english, french = read("en", layer), read("fr", layer)
    assert all(text.strip() for text in [*english.values(), *french.values()])
    # A sentence that is word for word the same in both languages was forgotten; commands and single words may be.
    sentences = {k for k, v in english.items() if v == french[k] and len(re.findall(r"[a-zà-ÿ]{3,}", v)) > 5}
    assert {k for k in sentences if not k.endswith(".hint")} == set()


def test_the_code_raises_errors():
    assert len(raised_keys()) > 50


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_error_says_what_was_received_what_is_allowed_and_what_to_try(lang):
    missing = []
    for where, key in raised_keys():
        try:
            found = texts.entry(key, lang)
        except KeyError:
            found = {}
        if not isinstance(found, dict) or not found.keys() >= {"received", "allowed", "hint"}:
            missing.append(f"{where}: {key}")
    assert missing == []


def test_every_text_that_the_code_names_is_there():
    missing = []
    for where, key in said_keys():
        try:
            texts.entry(key, "en")
        except KeyError:
            missing.append(f"{where}: {key}")
    assert missing == []
