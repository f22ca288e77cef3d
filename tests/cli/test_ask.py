"""Questions at the terminal, in either language."""

from __future__ import annotations

import io

import click
import pytest

from ecluse import texts
from ecluse.cli.ask import confirm


@pytest.fixture
def answered(monkeypatch, capsys):
    """Ask with these lines at hand; what was shown, and that nothing of it stands beside a command's output."""

    def ask(lang, *lines):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        texts.set_language(lang)
        try:
            confirm("Sign?")
        finally:
            texts.set_language("en")
            shown = capsys.readouterr()
            assert not shown.out
        return shown.err

    return ask


@pytest.mark.parametrize(
    ("lang", "yes"), [*(("en", yes) for yes in ("y", "Yes", " y ")), *(("fr", yes) for yes in ("o", "Oui", "y"))]
)
def test_a_yes_goes_on(answered, lang, yes):
    assert answered(lang, yes) == {"en": "Sign? [y/N]: ", "fr": "Sign? [o/N]: "}[lang]


@pytest.mark.parametrize("lang", texts.LANGUAGES)
@pytest.mark.parametrize("lines", [("n",), ("No",), ("",), (), ("perhaps",)], ids=str)
def test_a_no_and_nothing_abort(answered, lang, lines):
    with pytest.raises(click.Abort):
        answered(lang, *(line if lang == "en" else line.replace("No", "Non") for line in lines))


def test_what_is_neither_is_asked_again(answered):
    assert answered("fr", "peut-être", "oui").count("[o/N]") == 2
