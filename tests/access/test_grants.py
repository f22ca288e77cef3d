from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.access import compile_grant, pseudonym
from ecluse.engine import Engine
from ecluse.model.charter import Grant
from ecluse.model.contract import Classification, Column

KEY = bytes(range(32))
PURPOSE = "care"
COLUMNS = (
    Column("age", "INTEGER", classification=Classification.PUBLIC),
    Column("ward", "VARCHAR", classification=Classification.INTERNAL),
    Column("email", "VARCHAR", classification=Classification.PERSONAL),
    Column("illness", "VARCHAR", classification=Classification.SENSITIVE),
)
ROWS = """(SELECT * FROM (VALUES
    (30, 'a', 'x@example.org', 'flu', 'secret', 'file:1'), (41, 'a', 'y@example.org', NULL, 'secret', 'file:2'),
    (52, 'b', NULL, 'cold', 'secret', 'file:3')) AS t(age, ward, email, illness, unlisted, _origin))"""


#: One connection for all examples: opening one costs more than asking it.
ENGINE = Engine(threads=1)


def grant(columns, row_filter=None):
    return Grant("reader", ("*",), (PURPOSE,), columns, row_filter)


def shown(*grants, columns=COLUMNS, key=lambda: KEY):
    granted = compile_grant(grants, columns, purpose=PURPOSE, key=key)
    if granted is None:
        return None
    return granted, ENGINE.arrow(granted.select_sql(ROWS), granted.keys.reveal()).to_pylist()


def test_each_classification_is_shown_as_granted():
    granted, rows = shown(grant({"public": "clear", "internal": "null", "personal": "pseudonym", "sensitive": "drop"}))
    assert granted.columns == {"age": "clear", "ward": "null", "email": "pseudonym"}
    assert rows[0] == {"age": 30, "ward": None, "email": pseudonym("x@example.org", KEY, PURPOSE)}
    assert rows[2]["email"] is None


def test_what_is_not_listed_is_dropped():
    granted, rows = shown(grant({"public": "clear"}))
    assert list(granted.columns) == ["age"]
    assert rows == [{"age": 30}, {"age": 41}, {"age": 52}]


@pytest.mark.parametrize("grants", [(), (grant({}),), (grant({"public": "drop"}),)])
def test_a_grant_of_nothing_is_none(grants):
    assert shown(*grants) is None


def test_a_row_filter_leaves_rows_out():
    granted, rows = shown(grant({"public": "clear"}, "ward = 'a' -- the first ward"))
    assert granted.filtered
    assert [r["age"] for r in rows] == [30, 41]


def test_a_filter_that_is_null_lets_nothing_through():
    assert [r["age"] for r in shown(grant({"public": "clear"}, "illness <> 'cold'"))[1]] == [30]


def test_the_most_revealing_of_several_grants_shows():
    granted, rows = shown(
        grant({"public": "clear", "personal": "pseudonym"}), grant({"personal": "clear", "public": "null"})
    )
    assert granted.columns == {"age": "clear", "email": "clear"}
    assert rows[0] == {"age": 30, "email": "x@example.org"}


def test_a_filtered_grant_reveals_only_its_own_rows():
    granted, rows = shown(
        grant({"public": "clear", "personal": "pseudonym"}), grant({"personal": "clear"}, "ward = 'a' AND age > 40")
    )
    assert not granted.filtered
    assert [r["email"] for r in rows] == [pseudonym("x@example.org", KEY, PURPOSE), "y@example.org", None]


def test_a_grant_that_shows_no_column_lets_no_row_through():
    _, rows = shown(grant({"public": "clear"}, "age = 30"), grant({"sensitive": "drop"}))
    assert [r["age"] for r in rows] == [30]


def test_types_stay_what_they_were():
    granted = compile_grant([grant({"public": "null", "internal": "clear"})], COLUMNS, purpose=PURPOSE, key=lambda: KEY)
    assert ENGINE.describe(granted.select_sql(ROWS)) == {"age": "INTEGER", "ward": "VARCHAR"}


def test_purposes_do_not_share_pseudonyms():
    assert pseudonym("x", KEY, "care") != pseudonym("x", KEY, "billing")


def test_the_key_is_asked_for_only_where_it_is_needed():
    def no_key():
        raise AssertionError

    assert shown(grant({"public": "clear"}), key=no_key)
    with pytest.raises(AssertionError):
        shown(grant({"personal": "pseudonym"}), key=no_key)


def test_the_key_is_in_no_text_and_leaves_its_process_by_no_copy():
    granted, _ = shown(grant({"personal": "pseudonym"}))
    parameters = granted.keys.reveal()
    plan = str(ENGINE.rows(f"EXPLAIN {granted.select_sql(ROWS)}", parameters))
    for text in (repr(granted), granted.select_sql(ROWS), plan):
        for part in parameters.values():
            assert part.hex() not in text.lower()
            assert str(part)[2:-1] not in text
            assert "".join(f"\\x{byte:02x}" for byte in part) not in text.lower()
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in its process"):
            copied(granted)


WAYS = st.sampled_from(["clear", "pseudonym", "null", "drop"])
CLASSES = ["public", "internal", "personal", "sensitive"]
GRANTS = st.lists(
    st.builds(
        grant,
        st.dictionaries(st.sampled_from(CLASSES), WAYS),
        st.sampled_from([None, "ward = 'a'", "age > 40", "illness IS NULL", "false"]),
    ),
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(GRANTS, st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4))
def test_several_grants_never_show_a_cell_that_none_shows_alone(grants, columns):
    together = shown(*grants, columns=columns)
    alone = [found[1] for g in grants if (found := shown(g, columns=columns))]
    if together is None:
        assert not alone
        return
    granted, rows = together
    assert set(granted.columns) <= {c.name for c in columns}
    assert all(set(row) == set(granted.columns) for row in rows)
    cells = {(name, str(value)) for found in alone for row in found for name, value in row.items()}
    assert {(name, str(v)) for row in rows for name, v in row.items() if v is not None} <= cells
    assert len(rows) >= max(len(found) for found in alone)
    assert len(rows) <= 3
    assert "secret" not in str(rows)
    assert "file:" not in str(rows)


NAMED = st.builds(
    lambda number, classification: (number, classification), st.integers(0, 11), st.sampled_from([*Classification])
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(NAMED, unique_by=lambda one: one[0], max_size=8),
    st.sets(st.integers(0, 11)),
    st.dictionaries(st.sampled_from(CLASSES), WAYS | st.just("generalised")),
)
def test_a_grant_never_reveals_a_column_that_it_does_not_list(named, besides, listed):
    # Each cell names its column, so that no value of one can be taken for that of another.
    columns = [Column(f"c{number}", "VARCHAR", classification=kind) for number, kind in named]
    held = sorted({*(column.name for column in columns), *(f"c{number}" for number in besides)})
    cells = ", ".join([f"'cell of {name}' AS {name}" for name in held])
    relation = f"(SELECT {cells or 1})"
    granted = compile_grant([grant(listed)], columns, purpose=PURPOSE, key=lambda: KEY)
    shown_in = {c.name: listed.get(str(c.classification), "drop") for c in columns}
    expected = {name for name, way in shown_in.items() if way != "drop"}
    if granted is None:
        assert not expected
        return
    (row,) = ENGINE.arrow(granted.select_sql(relation), granted.keys.reveal()).to_pylist()
    assert set(row) == set(granted.columns) == expected
    for name in held:
        revealed = [column for column, value in row.items() if f"cell of {name}" == value]
        assert revealed == ([name] if shown_in.get(name) == "clear" else [])


@settings(max_examples=40, deadline=None)
@given(st.text(), st.binary(min_size=32, max_size=32), st.text(max_size=8))
def test_sql_gives_the_pseudonyms_of_the_standard_library(value, key, purpose):
    granted = compile_grant([grant({"personal": "pseudonym"})], COLUMNS, purpose=purpose, key=lambda: key)
    relation = "(SELECT 1 AS age, 'w' AS ward, $value::VARCHAR AS email, 'i' AS illness)"
    rows = ENGINE.rows(granted.select_sql(relation), {**granted.keys.reveal(), "value": value})
    assert rows == [(pseudonym(value, key, purpose),)]
