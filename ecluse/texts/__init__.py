"""Every text that a person reads: errors, reasons, reports, command-line output, in English and French.

One TOML file per layer and language (``en/sources.toml``, ``fr/sources.toml``); a text is named
``layer.key``. Entries of an error have three parts (``received``, ``allowed``, ``hint``); every other entry
is one string. Placeholders are ``str.format`` fields. A test holds both languages to the same keys and fields.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "fr")
#: The spaces of French that must not end a line: before high punctuation and per cent, and within quotation marks.
_KEPT_SPACE = re.compile(r"(?<=[^ ]) (?=[:;?!»%])|(?<=«) ")
_current: ContextVar[str] = ContextVar("ecluse_language", default="en")


def set_language(lang: str) -> None:
    """Choose the language of every later text in this context; unknown languages are a ``ValueError``."""
    if lang not in LANGUAGES:
        raise ValueError(f"Language {lang!r} is not one of {', '.join(LANGUAGES)}.")
    _current.set(lang)


def language() -> str:
    """The language in force in this context, ``en`` unless chosen."""
    return _current.get()


@cache
def catalogue(lang: str, layer: str) -> dict[str, Any]:
    """All texts of one layer in one language, as its TOML file holds them; empty where there is no such file."""
    file = files(__package__).joinpath(lang, f"{layer}.toml")
    if not file.is_file():
        return {}
    text = file.read_text("utf-8")
    return tomllib.loads(_KEPT_SPACE.sub("\u00a0", text) if lang == "fr" else text)


def entry(key: str, lang: str | None = None) -> Any:
    """The raw entry named ``layer.key[.key…]``; a key that a language lacks is read in English."""
    layer, *path = key.split(".")
    for tried in (lang or language(), "en"):
        found: Any = catalogue(tried, layer)
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        if found is not None:
            return found
    raise KeyError(key)


def say(key: str, /, *, lang: str | None = None, **fields: object) -> str:
    """The text named ``layer.key``, with its fields filled in.

    >>> say("cli.yes")
    'yes'
    """
    return fill(key, fields, lang)


def fill(key: str, fields: Mapping[str, object], lang: str | None = None) -> str:
    """The same as ``say``, with the fields given as one mapping; ``KeyError`` where the key names no single text."""
    found = entry(key, lang)
    if not isinstance(found, str):
        raise KeyError(f"{key} is not a single text")
    return _FORMATTERS[lang or language()].vformat(found, (), fields)


class _French(string.Formatter):
    """Writes fractions, and numbers that a text formats in its own way (``{rows:,}``), as French does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        said = super().format_field(value, format_spec)
        formatted = isinstance(value, int) and format_spec
        return _french(said) if formatted or isinstance(value, float) else str(said)


_FORMATTERS = {"en": string.Formatter(), "fr": _French()}


def number(value: float, lang: str | None = None) -> str:
    """A number with its digits in groups of three, as the language writes them.

    >>> number(1234567, "en"), number(0.25, "fr")
    ('1,234,567', '0,25')
    """
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    return text if (lang or language()) == "en" else _french(text)


def _french(number: str) -> str:
    # U+202F keeps a French number on one line.
    return number.replace(",", "\u202f").replace(".", ",")
