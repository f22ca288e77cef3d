"""Update modes on assets: what is wrong is said when the asset is defined, and a Dagster run carries the modes out."""

from __future__ import annotations

from datetime import datetime

import dagster as dg
import great_expectations as gx
import pyarrow as pa
import pytest

import ecluse
from ecluse import testing
from ecluse.errors import DefinitionError
from ecluse.model.contract import Column, Contract
from ecluse.model.outcome import Outcome
from ecluse.model.step import Guard
from ecluse.orchestration.registry import step_definition

PEOPLE = (Column("id", "BIGINT"), Column("at", "TIMESTAMP"), Column("city", "VARCHAR"))
VERSIONED = (
    Column("id", "BIGINT"),
    Column("city", "VARCHAR"),
    Column("valid_from", "TIMESTAMP"),
    Column("valid_to", "TIMESTAMP"),
    Column("is_current", "BOOLEAN"),
)


def guard(columns=PEOPLE, key=("id",)):
    suite = gx.ExpectationSuite("people")
    return Guard(Contract(columns=columns, key=key, owner="team", licence="CC0-1.0"), lambda: suite)


def defined(guarded=None, **declared):
    @ecluse.asset("clean.people", ins={"raw": "raw.people"}, guard=guarded or guard(), grain="row", **declared)
    def people(raw: ecluse.Table) -> str:
        return "SELECT * FROM raw"

    return people


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"update": "upsert"}, "update='upsert'"),
        ({"update": "merge"}, "needs: newest_by"),
        ({"newest_by": "at"}, "declares with it: newest_by"),
        ({"update": "merge", "newest_by": "at", "partition_by": "city"}, "newest_by, partition_by"),
        ({"update": "merge", "newest_by": "when"}, "names when"),
        ({"update": "merge", "newest_by": "id"}, "names id"),
        ({"update": "merge", "newest_by": "at", "guarded": guard(key=())}, "without a key"),
        ({"update": "partition"}, "needs: partition_by"),
        ({"update": "partition", "partition_by": "month"}, "can't be computed: month"),
        ({"update": "partition", "partition_by": "city ||"}, "can't be computed"),
        (
            {"update": "partition", "partition_by": "city", "partitions_def": dg.StaticPartitionsDefinition(["a"])},
            "partitions_def",
        ),
        ({"update": "history"}, "keeps a history"),
        ({"update": "history", "guarded": guard(VERSIONED)}, "keeps a history"),
        ({"update": "history", "guarded": guard(VERSIONED, ("id", "valid_from")), "tracked": "name"}, "names name"),
        ({"update": "history", "guarded": guard(VERSIONED[:3], ("id", "valid_from"))}, "valid_from TIMESTAMP."),
    ],
)
def test_what_does_not_fit_is_said_when_the_asset_is_defined(declared, said):
    with pytest.raises(DefinitionError) as refused:
        defined(**declared)
    assert said in str(refused.value)


def test_a_source_keeps_no_history():
    with pytest.raises(DefinitionError, match="source"):

        @ecluse.source("raw.people", guard=guard(VERSIONED, ("id", "valid_from")), update="history")
        def people() -> ecluse.Files:
            return ecluse.Files("people.csv")


def test_one_column_or_several_decide_which_row_is_newest():
    assert step_definition(defined(update="merge", newest_by="at")).newest_by == ("at",)
    assert step_definition(defined(update="merge", newest_by=("at", "city"))).newest_by == ("at", "city")


def test_a_merge_accounts_for_every_row_by_its_origin():
    rows = pa.table({"id": [1, 1, 2], "at": [1, 2, 1], "city": ["a", "b", "c"]})
    rows = rows.set_column(1, "at", rows["at"].cast(pa.timestamp("us")))
    found = testing.run_step(defined(update="merge", newest_by="at"), {"raw": rows})
    assert found.verdict.publishes, found.verdict
    a = found.accounting
    assert (a.driving, a.out, a.computed, a.published, a.superseded, a.outcome) == (3, 3, 3, 2, 1, Outcome.HELD)
    assert sorted(found.candidate["id"].to_pylist()) == [1, 2]


def test_a_test_says_what_is_published_already():
    def people(*rows):
        names = ("id", "at", "city")
        return [
            dict(zip(names, (id, datetime.fromisoformat(f"2024-01-0{day}"), city), strict=True))
            for id, day, city in rows
        ]

    found = testing.run_step(
        defined(update="merge", newest_by="at"),
        {"raw": people((1, 2, "new"), (2, 1, "late"))},
        published=people((1, 1, "old"), (2, 3, "newer"), (3, 1, "other")),
    )
    assert found.verdict.publishes, found.verdict
    assert sorted(zip(found.candidate["id"].to_pylist(), found.candidate["city"].to_pylist(), strict=True)) == [
        (1, "new"),
        (2, "newer"),
        (3, "other"),
    ]
    assert (found.accounting.late, found.accounting.replaced, found.accounting.current) == (1, 1, 3)


def test_the_columns_of_a_version_have_a_lineage():
    @ecluse.asset(
        "clean.homes",
        ins={"raw": "raw.people"},
        guard=guard(VERSIONED, ("id", "valid_from")),
        grain="row",
        update="history",
    )
    def homes(raw: ecluse.Table) -> str:
        return 'SELECT id, city, raw."at" AS valid_from FROM raw'

    rows = pa.table({"id": [1, 1], "at": pa.array([1, 2], pa.timestamp("us")), "city": ["a", "b"]})
    found = testing.run_step(homes, {"raw": rows})
    assert found.verdict.publishes, found.verdict
    assert found.candidate["is_current"].to_pylist() == [False, True]
    fields = found.result.lineage.fields
    assert [(edge.dataset, edge.column) for edge in fields["valid_to"]] == [("raw.people", "at")]
    assert [edge.type for edge in fields["valid_from"]] == ["DIRECT"]
