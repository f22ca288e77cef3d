"""How texts are filled in: numbers and spaces as each language writes them."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from ecluse import texts
from ecluse.texts import catalogue, fill, number, say


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "12,345 facts written to x."), ("fr", "12\u202f345 faits écrits dans x.")]
)
def test_a_text_writes_large_numbers_as_its_language_does(lang, said):
    assert say("cli.log.exported", lang=lang, count=12345, file="x") == said


def test_what_a_text_does_not_format_stays_as_it_was_given():
    assert "1.4.0" in fill("cli.release.stands", {"dataset": "a.b", "version": "1.4.0"}, "fr")


@pytest.mark.parametrize(("lang", "said"), [("en", "at most 0.5"), ("fr", "au plus 0,5")])
def test_a_fraction_is_written_as_its_language_does(lang, said):
    assert say("gate.operators.at_most", lang=lang, value=0.5) == said


@pytest.mark.parametrize(("lang", "said"), [("en", "1,234.5"), ("fr", "1\u202f234,5")])
def test_a_number_by_itself_is_written_as_in_a_text(lang, said):
    assert number(1234.5, lang) == said


def _texts(found):
    return [found] if isinstance(found, str) else [text for one in found.values() for text in _texts(one)]


@pytest.mark.parametrize("layer", sorted(Path(file.name).stem for file in files(texts).joinpath("fr").iterdir()))
def test_no_french_line_begins_with_punctuation(layer):
    for text in _texts(catalogue("fr", layer)):
        assert not re.search(r"\S [:;?!»%]|« ", text)
