"""Personal data is found in columns that nobody classified as personal, by counts, at a bounded cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine
from ecluse.model.contract import Classification, Column
from ecluse.model.outcome import Outcome
from ecluse.quality.detect import FEW, RUN, RUNS, detect

ENGINE = Engine(threads=1)


def looked(sql, *columns):
    return detect(ENGINE, f"({sql})", columns)


def column(name, classification=Classification.PUBLIC, type_="VARCHAR", **more):
    return Column(name, type_, classification=classification, **more)


EMAILS = "SELECT 'p' || i || '@example.org' AS contact, i AS id FROM range(50) t(i)"


@pytest.mark.parametrize("kept", ["unclassified", "public", "internal"])
def test_a_column_that_is_not_classified_as_personal_is_looked_at(kept):
    found = looked(EMAILS, column("contact", Classification(kept)))
    (finding,) = found.findings
    assert found.outcome is Outcome.BROKEN
    assert (finding.column, finding.detector, finding.tested, finding.matched) == ("contact", "email", 50, 50)
    assert finding.classification == kept


@pytest.mark.parametrize(
    "classified",
    [
        column("contact", Classification.PERSONAL),
        column("contact", Classification.SENSITIVE),
        column("contact", reason="the post boxes of offices"),
    ],
)
def test_a_column_about_which_somebody_decided_is_left_alone(classified):
    found = looked(EMAILS, classified)
    assert (found.outcome, found.findings, found.columns) == (Outcome.HELD, (), ())


def test_a_single_address_among_remarks_is_enough():
    remarks = "SELECT CASE WHEN i = 7 THEN 'ask ann@example.org' ELSE 'fine ' || i END AS remark FROM range(900) t(i)"
    (finding,) = looked(remarks, column("remark")).findings
    assert (finding.detector, finding.matched, finding.tested) == ("email", 1, 900)


def test_texts_inside_of_lists_and_structs_are_looked_at():
    nested = "SELECT [{'to': 'ann@example.org'}] AS sent"
    assert looked(nested, column("sent", type_="STRUCT(to VARCHAR)[]")).outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ("100000000 + i * 7919", "BIGINT"),  # one in ten ends like a company's number
        ("1370000000000 + i * 3600000", "BIGINT"),  # times in milliseconds
        ("4000000000000000 + i * 7919", "BIGINT"),  # ids that begin like a card's number
        ("(i - 500) / 10.0", "DOUBLE"),
        ("TIMESTAMP '2013-01-01' + i * INTERVAL 1 HOUR", "TIMESTAMP"),
        ("printf('%02d:%02d', i % 24, i % 60)", "VARCHAR"),
        ("printf('%010d', i)", "VARCHAR"),
        ("md5(i::VARCHAR)", "VARCHAR"),
    ],
)
def test_ids_amounts_and_times_raise_no_alarm(values, type_):
    rows = f"SELECT {values} AS v FROM range(1000) t(i)"
    assert looked(rows, column("v", type_=type_)).findings == ()


def test_numbers_that_all_have_the_right_last_digit_are_found():
    cards = "SELECT 4111111111111111 AS v UNION ALL SELECT 4012888888881881"
    (finding,) = looked(cards, column("v", type_="BIGINT")).findings
    assert finding.detector == "card"


def test_a_name_alone_is_a_hint_and_no_proof():
    found = looked("SELECT 'Ann' AS first_name", column("first_name"))
    assert [(f.detector, f.hint) for f in found.findings] == [("name", True)]
    assert found.outcome is Outcome.HELD


def test_what_cannot_be_read_is_not_computed():
    found = detect(ENGINE, "read_parquet('/nowhere/at/all.parquet')", [column("contact")])
    assert found.outcome is Outcome.NOT_COMPUTED
    assert "nowhere" not in found.message


def test_no_value_is_in_what_is_recorded():
    assert "example" not in str(looked(EMAILS, column("contact")).to_json())


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """More rows than are looked at: nothing at first, addresses only in the middle, and few in a sparse column."""
    path = tmp_path_factory.mktemp("large") / "rows.parquet"
    ENGINE.run(f"""COPY (
        SELECT CASE WHEN i BETWEEN 250000 AND 350000 THEN 'p' || i || '@example.org' END AS middle,
            CASE WHEN i % 60011 = 777 THEN 'q' || i || '@example.org' END AS sparse, i AS id
        FROM range(600000) t(i)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 100000)""")
    return f"SELECT * FROM read_parquet('{path}')"


def test_a_bounded_number_of_rows_lies_evenly_over_all(large):
    found = looked(large, column("middle"), column("sparse"))
    assert found.rows == RUNS * RUN
    assert {f.column: f.detector for f in found.findings} == {"middle": "email", "sparse": "email"}
    assert all(f.tested <= RUNS * RUN + RUN for f in found.findings)
    assert next(f for f in found.findings if f.column == "sparse").tested < FEW


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), max_size=30), st.sampled_from(["v", "phone", "born", "first_name"]))
def test_any_texts_get_an_answer(values, name):
    import pyarrow as pa

    with ENGINE.registered(pa.table({name: pa.array(values, pa.string())})) as rows:
        found = detect(ENGINE, rows, [column(name)])
    assert found.outcome is not Outcome.NOT_COMPUTED
    assert all(0 < f.matched <= f.tested <= len(values) for f in found.findings)
