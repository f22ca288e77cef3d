"""Every known defect of the data is found by a suite or by the accounting, with its true count, and ends where it belongs."""

from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pytest

from ecluse.charterfile import load_charter

#: Dataset, promise, severity, rows that break it.
FOUND = [
    ("raw.flights", "column_values_to_be_between__dep_time", "warning", 29),
    ("raw.flights", "column_values_to_be_between__arr_time", "warning", 150),
    # Three local hours appear twice when summer time ends.
    ("raw.weather", "compound_columns_to_be_unique__origin_year_month_day_hour", "warning", 6),
    ("raw.planes", "column_values_to_not_match_regex__manufacturer", "warning", 893),
    ("raw.planes", "column_values_to_not_be_null__year", "warning", 70),
    ("raw.airports", "column_values_to_be_between__lon", "warning", 4),
    ("raw.airports", "column_values_to_not_be_null__tzone", "warning", 3),
    ("raw.airports", "column_values_to_match_regex__tzone", "warning", 2),
    # Shemya lies east of Greenwich indeed; one airport without a zone is in neither source.
    ("raw.people", "column_values_to_not_be_null__birthYear", "warning", 114),
    ("clean.airports", "column_values_to_be_between__lon_2", "info", 1),
    ("clean.airports", "column_values_to_not_be_null__tzone", "warning", 1),
    ("clean.weather", "column_values_to_be_between__wind_speed", "critical", 1),
    ("clean.flights", "column_values_to_be_between__speed", "critical", 4),
    ("clean.flights", "column_values_to_match_regex__tailnum", "warning", 22_754),
    ("clean.flights", "column_values_to_be_in_set__plane_known", "warning", 50_094),
    ("clean.flights", "column_values_to_be_in_set__dest_known", "info", 7_602),
    ("products.cancelled_by_carrier", "column_values_to_be_between__left_out_share", "warning", 5),
    # The blizzard of 8 and 9 February.
    ("products.daily_operations", "column_values_to_be_between__cancelled_share", "warning", 2),
]


@pytest.mark.parametrize(("dataset", "name", "severity", "rows"), FOUND)
def test_a_defect_is_found_with_its_true_count(year, dataset, name, severity, rows):
    check = year[dataset].checks[name]

    assert (check.outcome, check.severity, check.unexpected_count) == ("broken", severity, rows)


def test_no_other_promise_is_broken(year):
    broken = {(d, name) for d, step in year.items() for name, c in step.checks.items() if c.outcome != "held"}

    assert broken == {(dataset, name) for dataset, name, *_ in FOUND}


def test_every_step_publishes_and_accounts_for_every_row(year):
    assert {d: step.verdict.reasons for d, step in year.items() if not step.verdict.publishes} == {}
    assert {d: step.accounting.outcome for d, step in year.items() if step.accounting.outcome != "held"} == {}


def test_only_impossible_wind_and_impossible_speeds_are_quarantined(year):
    held = {d: step.quarantine.num_rows for d, step in year.items() if step.quarantine is not None}

    assert held == {"clean.weather": 1, "clean.flights": 4}
    wind = year["clean.weather"].quarantine
    assert wind["origin"].to_pylist() == ["EWR"]
    assert round(wind["wind_speed"][0].as_py(), 2) == 1048.36
    assert sorted(round(v) for v in year["clean.flights"].quarantine["speed"].to_pylist()) == [641, 648, 650, 703]


def test_cancelled_flights_are_valid_and_counted_where_the_label_leaves_them_out(year):
    flights = year["clean.flights"].candidate
    features = year["products.delay_features"]
    left_out = dict(features.accounting.filtered)

    assert {v["values"]: v["counts"] for v in pc.value_counts(flights["status"]).to_pylist()} == {
        "cancelled": 8_255,
        "diverted": 1_175,
        "flown": 327_342,
    }
    assert left_out.pop("diverted") == 1_175
    assert left_out["cancelled, EV"] == 2_817
    assert left_out["cancelled, other carriers"] == 0
    assert sum(left_out.values()) == 8_255
    assert features.accounting.out == features.candidate.num_rows == 327_342


def test_look_ups_count_what_they_did_not_find(year):
    found = {(d, look.dataset): look.unmatched for d, step in year.items() for look in step.accounting.look_ups}

    assert found == {
        ("clean.airports", "clean.airport_directory"): 294,
        ("clean.flights", "clean.airports"): 0,
        # 50,094 tail numbers that are not in the register, and 2,512 flights without one.
        ("clean.flights", "clean.planes"): 52_606,
        ("products.delay_features", "clean.planes"): 52_606,
        # Flights in hours without weather; none left in the hour whose wind is in quarantine.
        ("products.delay_features", "clean.weather"): 1_556,
        ("products.cancelled_by_carrier", "clean.airlines"): 0,
    }


def test_midnight_is_repaired(year):
    raw, clean = year["raw.flights"].candidate, year["clean.flights"].candidate
    for column, hhmm, rows in (("dep_time", "dep_hhmm", 29), ("arr_time", "arr_hhmm", 150)):
        assert pc.sum(pc.equal(raw[column], 2400)).as_py() == rows
        assert pc.sum(pc.equal(clean[hhmm], 0)).as_py() == rows
        assert pc.max(clean[hhmm]).as_py() == 2359


def test_airports_are_repaired_from_the_directory(year):
    rows = {r["faa"]: r for r in year["clean.airports"].candidate.to_pylist()}
    repaired = {code: r["repair"] for code, r in rows.items() if r["repair"]}

    assert repaired == {
        **dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "added"),
        **dict.fromkeys(("DVT", "EEN", "MYF"), "coordinates"),
        "YAK": "time zone",
    }
    assert [code for code, r in rows.items() if r["lon"] > 0] == ["SYA"]
    assert rows["EEN"]["lat"] == pytest.approx(42.898, abs=0.001)
    assert rows["EEN"]["lon"] == pytest.approx(-72.271, abs=0.001)


def test_manufacturers_have_one_name_each_and_none_is_a_person(year):
    before = set(year["raw.planes"].candidate["manufacturer"].to_pylist())
    counts = pc.value_counts(year["clean.planes"].candidate["manufacturer"]).to_pylist()
    after = {v["values"]: v["counts"] for v in counts}

    assert len(before) == 35
    assert (after["AIRBUS"], after["MCDONNELL DOUGLAS"], after["AMATEUR BUILT"]) == (736, 237, 11)
    assert len(after) == 22


def test_hours_are_unique_in_utc(year):
    assert year["clean.weather"].checks["compound_columns_to_be_unique__origin_time_hour"].outcome == "held"
    assert year["clean.flights"].checks["column_values_to_be_unique__flight_id"].outcome == "held"


def test_arrivals_are_after_departures_by_at_least_the_time_in_the_air(year):
    flights = year["clean.flights"].candidate.filter(pc.field("status") == "flown")

    assert pc.all(pc.greater_equal(flights["block_time"], flights["air_time"])).as_py()
    assert flights["arr_utc"].null_count == 0


def test_the_blizzard_warns_and_is_not_quarantined(year):
    days = {str(r["day"]): r for r in year["products.daily_operations"].candidate.to_pylist()}
    worst = max(days, key=lambda day: days[day]["cancelled_share"])

    assert worst == "2013-02-09"
    assert days[worst]["cancelled_share"] == pytest.approx(0.575, abs=0.0005)
    assert len(days) == 365


def test_what_the_label_leaves_out_is_told_by_carrier(year):
    rows = {r["carrier"]: r for r in year["products.cancelled_by_carrier"].candidate.to_pylist()}

    assert sum(r["cancelled"] + r["diverted"] for r in rows.values()) == 8_255 + 1_175
    assert sum(r["labelled"] for r in rows.values()) == year["products.delay_features"].candidate.num_rows
    assert rows["EV"]["cancelled"] == 2_817


def test_the_model_scores_near_0_69_on_later_months(year):
    from assets.products.delay_predictions import train

    features = year["products.delay_features"].candidate.drop_columns(["_origin"]).to_pandas()
    trained = train(features)

    assert 0.68 < trained.auc < 0.70
    assert set(trained.later["month"]) == {10, 11, 12}
    with duckdb.connect() as connection:
        connection.register("features", features)
        connection.register("predictions", trained.later[["flight_id"]].assign(late_probability=trained.probability))
        ((auc,),) = connection.sql(load_charter(Path(__file__).parents[2] / "charter.yaml").kpi("auc").sql).fetchall()
    assert auc == pytest.approx(trained.auc, abs=1e-12)
