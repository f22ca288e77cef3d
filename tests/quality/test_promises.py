import pytest

from ecluse.errors import DefinitionError
from ecluse.model.contract import Column, Contract, Freshness
from ecluse.model.outcome import Scope, Severity
from ecluse.model.step import Guard
from ecluse.quality import compile_contract, guarded_suite, suite_digest

CONTRACT = Contract(
    columns=(Column("id", "BIGINT"), Column("x", "DOUBLE", nullable=False), Column("at", "TIMESTAMP")),
    key=("id",),
    owner="data",
    licence="CC0-1.0",
    freshness=Freshness(column="at", within="35 days"),
)


def guard(suite, contract=CONTRACT):
    return Guard(contract, lambda: suite)


def test_a_contract_is_compiled_to_expectations():
    found = [(e.configuration.type, e.configuration.meta["ecluse"]["scope"]) for e in compile_contract(CONTRACT)]
    assert found == [
        ("expect_table_columns_to_match_set", "batch"),
        ("expect_column_type_to_be", "batch"),
        ("expect_column_type_to_be", "batch"),
        ("expect_column_type_to_be", "batch"),
        ("expect_column_values_to_not_be_null", "batch"),
        ("expect_column_values_to_not_be_null", "batch"),
        ("expect_column_values_to_be_unique", "table"),
        ("expect_column_max_to_be_between", "published"),
    ]


def test_a_key_of_several_columns_is_unique_together():
    contract = Contract(columns=(Column("a", "BIGINT"), Column("b", "BIGINT")), key=("a", "b"), owner="o", licence="l")
    assert compile_contract(contract)[-1].column_list == ["a", "b"]


def test_promises_are_the_contracts_then_the_suites(gxe, suite_of):
    suite = suite_of(
        gxe.ExpectColumnMeanToBeBetween(
            column="x", min_value=0, severity="warning", meta={"ecluse": {"scope": "table"}}
        )
    )
    *own, last = guarded_suite(guard(suite), "clean.x").promises
    assert len(own) == 8
    assert (last.name, last.severity, last.scope, last.row_level) == (
        "column_mean_to_be_between__x",
        Severity.WARNING,
        Scope.TABLE,
        False,
    )
    assert all(p.severity is Severity.CRITICAL for p in own)


def test_a_suite_that_repeats_the_contract_adds_nothing(gxe, suite_of):
    again = suite_of(
        gxe.ExpectColumnValuesToNotBeNull(column="id"),
        gxe.ExpectColumnValuesToNotBeNull(column="id", severity="warning"),
    )
    names = [p.name for p in guarded_suite(guard(again), "clean.x")]
    assert names.count("column_values_to_not_be_null__id") == 1
    assert names[-1] == "column_values_to_not_be_null__id_2"


def test_names_hold_type_and_columns_and_never_bounds(gxe, suite_of):
    def names(low):
        suite = suite_of(
            gxe.ExpectColumnValuesToBeBetween(column="x", min_value=low),
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=low + 5),
            gxe.ExpectColumnPairValuesToBeEqual(column_A="x", column_B="id"),
            gxe.ExpectTableRowCountToBeBetween(min_value=low),
            gxe.ExpectColumnToExist(column="départ à"),
        )
        return [p.name for p in guarded_suite(guard(suite), "clean.x")][-5:]

    assert (
        names(0)
        == names(7)
        == [
            "column_values_to_be_between__x",
            "column_values_to_be_between__x_2",
            "column_pair_values_to_be_equal__x_id",
            "table_row_count_to_be_between",
            "column_to_exist__d_part__",
        ]
    )


def test_names_stay_apart_when_a_column_looks_like_a_number(gxe, suite_of):
    suite = suite_of(
        *(gxe.ExpectColumnValuesToBeUnique(column=c, mostly=m) for c, m in [("x", 0.5), ("x_2", 0.5), ("x", 0.6)])
    )
    names = [p.name for p in guarded_suite(guard(suite), "clean.x")][-3:]
    assert names == [
        "column_values_to_be_unique__x",
        "column_values_to_be_unique__x_2",
        "column_values_to_be_unique__x_3",
    ]


def test_a_suite_of_another_kind_is_refused():
    with pytest.raises(DefinitionError, match=r"dict was given as the suite of clean\.x"):
        guarded_suite(guard({"expectations": []}), "clean.x")


def test_an_unknown_scope_is_refused(gxe, suite_of):
    suite = suite_of(gxe.ExpectColumnToExist(column="x", meta={"ecluse": {"scope": "galaxy"}}))
    with pytest.raises(DefinitionError, match="batch, table or published"):
        guarded_suite(guard(suite), "clean.x")


class TestDigest:
    def test_ids_notes_order_and_number_types_do_not_change_it(self, gxe, suite_of):
        one = suite_of(
            gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0, max_value=1.5),
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a"], notes="why"),
        )
        one.expectations[0].id = "6f1a1c3e-0000-4000-8000-000000000000"
        other = suite_of(
            gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a"], result_format="COMPLETE"),
            gxe.ExpectColumnValuesToBeBetween(
                column="x", min_value=0.0, max_value=1.5, mostly=1.0, description="in words"
            ),
            name="another name",
        )
        assert suite_digest(one) == suite_digest(other)

    def test_it_is_the_same_in_every_release(self, gxe, suite_of):
        suite = suite_of(gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0, max_value=1.5))
        assert suite_digest(suite) == "d75d08b21b1c5624e8630b32ccd047bdc7affd30da2b0510d39ea7ee17c5e63f"

    @pytest.mark.parametrize(
        "change",
        [
            {"min_value": 1},
            {"mostly": 0.9},
            {"severity": "warning"},
            {"meta": {"ecluse": {"scope": "table"}}},
            {"strict_min": True},
        ],
    )
    def test_whatever_is_promised_changes_it(self, gxe, suite_of, change):
        def digest(**more):
            return suite_digest(suite_of(gxe.ExpectColumnValuesToBeBetween(**{"column": "x", "min_value": 0, **more})))

        assert digest() != digest(**change)
