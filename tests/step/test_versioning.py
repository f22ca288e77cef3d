"""Every difference of two contracts is breaking, compatible, or only of the data, and gives the release its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.errors import DefinitionError
from ecluse.step.releases import create_release
from ecluse.step.versioning import IMPACTS, Impact, differences
from tests.step.test_evolution import AFTER, AFTER_SQL, ORDERS, Shop


def column(name, number, **more):
    settings = {"type": "INTEGER", "classification": "internal", "nullable": True, "unit": None, **more}
    return {"name": name, "field_id": number, **settings}


def said(*columns, key=("id",)):
    return {"columns": list(columns), "key": list(key)}


ID, N = column("id", 1, type="BIGINT"), column("n", 2)


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        (said(ID, N), []),
        (said(ID), ["removed"]),
        (said(ID, column("m", 2)), ["renamed"]),
        (said(ID, column("n", 2, type="BIGINT")), ["widened"]),
        (said(ID, column("n", 3, type="VARCHAR")), ["retyped"]),
        (said(column("id", 1, type="INTEGER"), N), ["retyped"]),
        (said(ID, column("n", 2, type="int")), []),
        (said(ID, column("n", 3)), []),
        (said(ID, N, column("m", 3)), ["added"]),
        (said(N, ID), ["reordered"]),
        (said(ID, column("n", 2, nullable=False)), ["required"]),
        (said(ID, column("n", 2, unit="min")), ["unit"]),
        (said(ID, column("n", 2, classification="personal")), ["stricter"]),
        (said(ID, column("n", 2, classification="public")), ["opener"]),
        (said(ID, N, key=("id", "n")), ["key"]),
        (said(column("number", 1, type="BIGINT"), N, key=("number",)), ["renamed"]),
        (said(ID, column("m", 2), column("n", 3)), ["added", "renamed"]),
    ],
)
def test_two_contracts_differ_in(after, kinds):
    assert [c.kind for c in differences("d", said(ID, N), after)] == kinds


def test_a_column_that_may_be_null_from_now_on_breaks_its_readers():
    (change,) = differences("d", said(column("n", 1, nullable=False), key=()), said(column("n", 1), key=()))
    assert (change.kind, change.impact) == ("nullable", Impact.BREAKING)


def test_facts_that_say_less_are_taken_as_the_same():
    bare = {"columns": [{"name": "id", "type": "BIGINT", "classification": "internal"}]}
    assert differences("d", bare, said(ID)) == []


COLUMNS = st.lists(
    st.builds(
        column,
        st.sampled_from("abc"),
        st.integers(1, 4),
        type=st.sampled_from(["INTEGER", "BIGINT", "VARCHAR"]),
        nullable=st.booleans(),
    ),
    unique_by=(lambda c: c["name"], lambda c: c["field_id"]),
)


@given(COLUMNS, COLUMNS)
def test_every_difference_is_known_and_equal_contracts_have_none(before, after):
    changes = differences("d", said(*before, key=()), said(*after, key=()))
    assert all(c.kind in IMPACTS for c in changes)
    assert differences("d", said(*before), said(*before)) == []
    back = [c.kind for c in differences("d", said(*after, key=()), said(*before, key=()))]
    assert back.count("added") == [c.kind for c in changes].count("removed")


def test_a_release_gets_the_number_that_its_changes_ask_for(tmp_path):
    shop = Shop(tmp_path)
    try:
        shop.before("a")
        assert create_release(shop.services, [ORDERS]).version == "1.0.0"
        shop.before("b")
        assert create_release(shop.services, [ORDERS]).version == "1.0.1"
        shop.make(AFTER, AFTER_SQL, "b", positive="paid")
        with pytest.raises(DefinitionError) as caught:
            create_release(shop.services, [ORDERS], "1.1.0")
        assert caught.value.key == "step.version_too_small"
        assert "2.0.0" in str(caught.value)
        assert create_release(shop.services, [ORDERS], "spring").version == "spring"
        assert create_release(shop.services, [ORDERS]).version == "2.0.0"
        wider = tuple(c for c in AFTER if c.name != "note"), AFTER_SQL.replace(", 'n' AS note", "")
        shop.make(*wider, "b", positive="paid")
        assert create_release(shop.services, [ORDERS]).version == "3.0.0"
        shop.make(AFTER, AFTER_SQL, "b", positive="paid")
        assert create_release(shop.services, [ORDERS]).version == "3.1.0"
    finally:
        shop.services.close()
