"""A row filter is one condition about one row: whatever else it holds is refused by name."""

from __future__ import annotations

import pytest

from ecluse.access import compile_grant, confirm_filter
from ecluse.access.filters import filter_problem
from ecluse.errors import DefinitionError
from ecluse.model.charter import Grant
from ecluse.model.contract import Classification, Column


@pytest.mark.parametrize(
    "condition",
    [
        "ward = 'a'",
        "ward = 'a' -- the first ward",
        "age > 40 AND (ward LIKE 'a%' OR ward IS NULL)",
        "born < current_date - INTERVAL 18 YEARS",
        "list_contains(list_transform(wards, lambda w: upper(w)), 'A')",
        "TRY_CAST(age AS INTEGER) BETWEEN 1 AND 2",
    ],
)
def test_a_condition_about_a_row_is_one(condition):
    assert filter_problem(condition) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("age >", "syntax"),
        ("", "syntax"),
        ("1) OR (1", "syntax"),
        ("1=1) IS TRUE AS _granted_1, ((1=1", "syntax"),
        ("age > 1;", "syntax"),
        ("age > 1; SELECT 2", "syntax"),
        ("age > 1, email", "several"),
        ("email AS age", "syntax"),
        ("age > 1 FROM patients", "syntax"),
        ("age > 1 WHERE true", "syntax"),
        ("age > 1 LIMIT 1", "syntax"),
        ("age > 1 UNION SELECT true", "syntax"),
        ("DISTINCT age", "syntax"),
        ("age > 1 QUALIFY true", "syntax"),
        ("age IN (SELECT 1)", "query"),
        ("EXISTS (FROM read_csv('/etc/passwd'))", "query"),
        ("(FROM duckdb_secrets() SELECT count(*)) > 0", "query"),
        ("row_number() OVER () < 3", "window"),
        ("COLUMNS(*) > 1", "star"),
        ("age > ?", "parameter"),
        ("ward = $ecluse_inner", "parameter"),
        ("random() < 0.5", "volatile"),
        ("error(email)", "volatile"),
    ],
)
def test_what_reaches_further_is_told(text, problem):
    found = filter_problem(text)
    assert found is not None
    assert found[0] == problem
    with pytest.raises(DefinitionError) as caught:
        confirm_filter(text)
    assert str(caught.value)


def test_a_grant_with_such_a_filter_is_refused():
    grant = Grant("reader", ("*",), ("care",), {"public": "clear"}, "age IN (SELECT 1)")
    column = Column("age", "INTEGER", classification=Classification.PUBLIC)
    with pytest.raises(DefinitionError) as caught:
        compile_grant([grant], [column], purpose="care", key=lambda: bytes(32))
    assert caught.value.key == "access.no_filter"
    assert "could read other data" in str(caught.value)
