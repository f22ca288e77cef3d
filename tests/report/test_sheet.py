"""The release sheet, made from a real project's records."""

import hashlib
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from ecluse.cli.reading import book_of
from ecluse.cli.review import show_review
from ecluse.errors import DefinitionError, IntegrityError, StorageError
from ecluse.gate import Incident, Observed, review
from ecluse.model.outcome import Outcome
from ecluse.model.verdict import Reason
from ecluse.project import Project
from ecluse.report import gather_sheet, release_sheet, render_sheet, write_sheet
from ecluse.report.evidence import quarantine_of
from ecluse.step.closure import release_closure
from ecluse.step.releases import find_release
from ecluse.step.services import open_services

VOID = {"meta", "br", "col", "rect", "path", "link", "input", "img", "hr"}


class Page(HTMLParser):
    """Text, tags and links of a page, and whether its tags pair up."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.words, self.ids = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="session")
def sheet(shop):
    return gather_sheet(shop.project, "products.orders", as_of=shop.moments["approved"])


@pytest.fixture(scope="session", params=["en", "fr"])
def html(sheet, request):
    return render_sheet(sheet, request.param)


def test_an_approved_release_is_open_with_everything_that_makes_it_so(sheet):
    assert sheet.verdict.opens
    assert (sheet.question.purpose, sheet.question.reader) == ("returns", "builder")
    assert sheet.manifest.version == "1.0.0"
    assert sheet.identity.description == "Orders & returns"
    assert sheet.identity.released_by == "pipeline"
    met = [(c.criterion.id, c.met) for c in sheet.conditions]
    assert met == [("checks", True), ("few", True), ("personal-data", True)]
    (decision,) = sheet.decisions
    assert (decision.question, decision.parties, decision.counts) == ("data-valid", ("steward",), True)
    assert decision.expires.date() == (datetime.now(UTC) + timedelta(days=30)).date()
    (read,) = sheet.reads
    assert (read.reader, read.opens, set(read.columns)) == ("builder", True, {"id", "amount", "customer"})


def test_each_row_is_followed_from_the_source_to_the_release(sheet):
    raw, orders = sheet.steps
    assert (raw.dataset, raw.rejected, raw.published, raw.outcome) == ("raw.orders", 1, 3, Outcome.HELD)
    assert (orders.driving, orders.computed, orders.published, orders.quarantined) == (3, 3, 2, 1)
    assert [(dataset, rows) for (dataset, _), rows in sheet.quarantine.items()] == [
        ("raw.orders", 1),
        ("products.orders", 1),
    ]
    broken = [c for c in sheet.checks if c.outcome is Outcome.BROKEN]
    assert [(c.dataset, c.broke, c.quarantined) for c in broken] == [("products.orders", 1, 1)]


def test_who_signs_sees_what_was_held_back_before_the_products_too(shop, sheet, capsys):
    with closing(open_services(shop.project)) as services:
        facts = list(services.log.facts())
        manifest = find_release(services, "products.orders", "1.0.0")
        held = quarantine_of(release_closure(manifest, facts))
        seen = review(manifest, services.charter.phase, services.charter, book_of(services), shop.project.now())
    assert held == sheet.quarantine
    show_review(seen, held)
    shown = capsys.readouterr().out
    assert re.search(r"^ *raw.orders .* 1 *$", shown, re.MULTILINE)
    show_review(seen, {})
    assert "No row was held back, here or on the way here." in capsys.readouterr().out


def test_only_what_the_release_was_made_from_is_its_source(sheet, shop):
    (source,) = sheet.sources
    kept = shop.project.raw / source.sha256
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == source.sha256
    assert "4,9,y" in kept.read_text()
    assert (source.origin, source.licence, source.legal_basis) == (
        "post:orders.csv",
        "CC-BY-4.0",
        "contract with the customer",
    )
    now = gather_sheet(shop.project, "products.orders")
    assert now.sources == sheet.sources
    assert now.steps == sheet.steps


def test_each_column_is_followed_to_the_file(sheet):
    amount = next(c for c in sheet.columns if c.name == "amount")
    assert amount.direct == (("raw.orders", "amount"),)
    assert amount.origins == (("post:orders.csv", "amount"),)
    assert amount.unknown == ()
    assert {n.id for n in sheet.upstream.nodes} == {"products.orders", "raw.orders", "post:orders.csv"}


def test_the_seals_are_those_of_the_log_at_that_moment(sheet, shop):
    assert sheet.seals.facts < shop.services.log.size
    assert sheet.seals.root == shop.services.log.root(sheet.seals.facts)
    assert sheet.digest == shop.manifest.digest


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("before everything", "release_none"),
        ("before the release", "release_none"),
        ("before the approval", "approval_missing"),
    ],
)
def test_earlier_moments_are_refused_with_their_reasons(shop, moment, reason):
    found = gather_sheet(shop.project, "products.orders", as_of=shop.moments[moment])
    assert reason in [r.key for r in found.verdict.reasons]
    page = Page(render_sheet(found))
    assert "REFUSED" in page.text
    assert all(r.text("en") in page.text for r in found.verdict.reasons)


def test_an_approval_ends(shop):
    later = gather_sheet(shop.project, "products.orders", as_of=datetime.now(UTC) + timedelta(days=31))
    assert "approval_expired" in [r.key for r in later.verdict.reasons]
    assert not later.decisions[0].counts


def test_other_purposes_and_versions_are_answered_too(shop):
    for more, reason in (
        ({"purpose": "advertising"}, "purpose_prohibited"),
        ({"purpose": "art"}, "purpose_unknown"),
        ({"version": "9"}, "release_missing"),
    ):
        found = gather_sheet(shop.project, "products.orders", **more)
        assert reason in [r.key for r in found.verdict.reasons]
        assert "REFUSED" in Page(render_sheet(found)).text


def test_what_is_absent_is_printed_as_missing(shop):
    for dataset in ("products.orders", "products.nothing"):
        page = Page(release_sheet(shop.project, dataset, as_of=shop.moments["before everything"]))
        assert page.text.count("MISSING") > 12
    assert "MANQUANT" in release_sheet(shop.project, "products.nothing", lang="fr")


def test_a_page_needs_nothing_else(html):
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert all(value.startswith("#") for name, value in page.attributes if name in ("href", "src", "action"))
    assert not re.search(r"url\(|@import|https?://", html)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_a_page_can_be_read_without_seeing_it(html):
    page = Page(html)
    attributes = dict(page.attributes)
    assert attributes["lang"] in ("en", "fr")
    assert len(page.ids) == len(set(page.ids))
    assert {value[1:] for name, value in page.attributes if name == "href"} <= set(page.ids)
    assert {v for n, v in page.attributes if n == "aria-labelledby"} <= set(page.ids)
    assert page.tags.count("h1") == 1
    assert page.tags.count("th") == sum(name == "scope" for name, _ in page.attributes)
    assert "raw.orders" in next(v for n, v in page.attributes if n == "aria-label" and "post:orders.csv" in v)


def test_the_page_says_it_all_in_its_language(html, sheet):
    page = Page(html)
    french = 'lang="fr"' in html
    assert ("OUVERTE" if french else "OPEN") in page.text
    assert ("amount est compris entre 0 et 1000" if french else "amount lies between 0 and 1000") in page.text
    for text in (sheet.digest, sheet.seals.root, sheet.sources[0].sha256, "CC-BY-4.0", "steward", "Orders & returns"):
        assert text in page.text
    assert {f.sha256 for f in sheet.manifest.products[0].files} <= set(page.text.split())


def test_no_value_of_the_data_is_on_the_page(html):
    assert "Secretname" not in html
    assert "-7.5" not in html


def test_what_people_wrote_is_text_and_never_markup(html):
    assert "looked at &lt;b&gt;every&lt;/b&gt; line" in html
    assert "Orders &amp; returns" in html


def test_names_come_from_the_local_directory_only(shop):
    directory = shop.project.state / "people.toml"
    assert "Ada Example" not in release_sheet(shop.project, "products.orders")
    directory.write_text('steward = "Ada Example"\n')
    try:
        assert "Ada Example" in release_sheet(shop.project, "products.orders")
        directory.write_text("steward = Ada")
        with pytest.raises(DefinitionError) as raised:
            release_sheet(shop.project, "products.orders")
        assert str(directory) in str(raised.value)
    finally:
        directory.unlink()


def test_a_sheet_is_written_whole_or_not_at_all(shop, tmp_path):
    file = tmp_path / "sheets" / "orders.html"
    written = write_sheet(shop.project, "products.orders", file)
    assert written.question.dataset in file.read_text("utf-8")
    assert list(file.parent.iterdir()) == [file]
    (tmp_path / "in-the-way").write_text("")
    with pytest.raises(StorageError) as raised:
        write_sheet(shop.project, "products.orders", tmp_path / "in-the-way" / "orders.html")
    assert raised.value.key == "report.write"
    with pytest.raises(ValueError, match="not one of en, fr"):
        release_sheet(shop.project, "products.orders", lang="de")


def test_no_sheet_is_made_of_an_altered_log(shop, tmp_path):
    shop.services.database.close()
    copy = tmp_path / "copy"
    (copy / ".ecluse/demo").mkdir(parents=True)
    (copy / "charter.yaml").write_text((shop.project.root / "charter.yaml").read_text())
    source = sqlite3.connect(shop.project.state / "ecluse.db")
    target = sqlite3.connect(copy / ".ecluse/demo/ecluse.db")
    source.backup(target)
    source.close()
    target.execute("UPDATE ecluse_facts SET envelope = replace(envelope, 'a', 'b') WHERE kind = 'decision'")
    target.commit()
    target.close()
    (copy / ".ecluse/demo/trust.json").write_text((shop.project.trust).read_text())
    with pytest.raises(IntegrityError):
        release_sheet(Project.find(copy, "demo"), "products.orders")


AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ["worse than the baseline", "+0.05", "this release", "Target, at most", "never observed"]),
        ("fr", ["moins bon que la référence", "+0,05", "cette version", "Cible, au plus", "jamais observé"]),
    ],
)
def test_each_kpi_is_told_beside_its_baseline_and_its_target(sheet, lang, said):
    (never,) = sheet.kpis
    seen = (
        Observed(0.25, "products.orders@0.9.0", ("f" * 64,), AT, 3),
        Observed(None, "products.orders@1.0.0", (sheet.digest,), AT, 4),
    )
    told = replace(sheet, kpis=(never, replace(never, observed=seen)))
    page = Page(render_sheet(told, lang))
    assert [words for words in said if words not in page.text] == []
    assert "products.orders@0.9.0" in page.text


@pytest.mark.parametrize(
    ("lang", "none", "said"),
    [
        ("en", "No incident is open.", ["was found out of date", "every release"]),
        ("fr", "Aucun incident n'est ouvert.", ["n'était plus à jour", "toutes les versions"]),
    ],
)
def test_open_incidents_are_told(sheet, lang, none, said):
    assert none in Page(render_sheet(sheet, lang)).text
    stale = Reason("freshness_not_held", {"dataset": "raw.orders", "on": "2026-03-01"}, (7,))
    withdrawn = Reason("withdrawn", {"party": "p-1", "on": "2026-03-01", "why": "label leak"}, (8,))
    found = (Incident(stale, "raw.orders", AT), Incident(withdrawn, None, AT))
    page = Page(render_sheet(replace(sheet, incidents=found), lang))
    assert none not in page.text
    assert [words for words in said if words not in page.text] == []
