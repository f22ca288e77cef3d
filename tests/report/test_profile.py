"""The profile page: all of a profile, in both languages, with nothing that data could smuggle in."""

import datetime as dt

import pyarrow as pa
import pytest

from ecluse.quality.profiling import profile
from ecluse.report import render_profile

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
DATA = {
    "orders": pa.table({"id": range(30), "mark": ["<b>", "{{x}}", "c"] * 10, "paid": [1.5, None, 3.25] * 10}),
    "marks": pa.table({"mark": ["<b>", "{{x}}", "c", "d"], "said": ["Ada", "Bo", "Cy", "Di"]}),
}


@pytest.fixture(scope="module")
def found():
    return profile(DATA)


@pytest.mark.parametrize(
    ("lang", "said"), [("en", ["Column by column", "1.5"]), ("fr", ["Colonne par colonne", "1,5", "Clés"])]
)
def test_the_page_says_everything_in_either_language(found, lang, said):
    page = render_profile(found, lang, made_at=NOW)
    for part in (*said, "orders.mark", "marks.mark", "2026-01-02 03:04 UTC", "66.7" if lang == "en" else "66,7"):
        assert part in page
    assert f'<html lang="{lang}">' in page


def test_what_data_hold_is_text_and_nothing_else(found):
    page = render_profile(found)
    assert "<b>" not in page.split("<section", 1)[1].replace("<b>30</b>", "").split("footer")[0].replace("<b>", "", 20)
    assert "&lt;b&gt;" in page
    assert "{{x}}" in page


def test_the_page_needs_nothing_else(found):
    page = render_profile(found)
    assert "http" not in page
    assert "<script" not in page


def test_an_unknown_language_is_refused(found):
    with pytest.raises(ValueError, match="xx"):
        render_profile(found, "xx")
