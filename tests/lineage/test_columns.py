from __future__ import annotations

import pyarrow as pa
import pytest

from ecluse.lineage import columns_of, columns_of_files, not_extracted
from ecluse.lineage.expressions import Scope, influence
from ecluse.lineage.operators import Walk
from ecluse.lineage.plan import UnknownPlan
from ecluse.model.lineage import ColumnLineage, Edge


def _found(edges):
    return {(e.dataset.removeprefix("raw."), e.column, e.subtype, e.masking) for e in edges}


def test_lineage_of_each_statement_of_the_corpus(case, tables):
    found = columns_of(case.sql, {name: (f"raw.{name}", columns) for name, columns in tables.items()})
    if case.error:
        assert case.error in found.errors[0]
        assert (found.fields, found.dataset) == ({}, ())
    else:
        assert found.errors == ()
        assert {name: _found(edges) for name, edges in found.fields.items()} == case.fields
        assert _found(found.dataset) == case.rows


def test_the_corpus_is_large(cases):
    assert len([c for c in cases if not c.error]) >= 30


def test_direct_and_indirect_edges_are_told_apart():
    found = columns_of("SELECT a FROM t WHERE b > 1", {"t": ("raw.t", {"a": "INTEGER", "b": "INTEGER"})})
    assert found.fields["a"] == (Edge("raw.t", "a", "DIRECT", "IDENTITY"),)
    assert found.dataset == (Edge("raw.t", "b", "INDIRECT", "FILTER"),)


def test_two_inputs_may_be_the_same_dataset():
    columns = {"a": "INTEGER"}
    found = columns_of("SELECT x.a + y.a AS b FROM x, y", {"x": ("raw.t", columns), "y": ("raw.t", columns)})
    assert found.fields["b"] == (Edge("raw.t", "a", "DIRECT", "TRANSFORMATION"),)


def test_names_that_need_quotes_are_understood():
    found = columns_of('SELECT "a b" AS "c""d" FROM "my table"', {"my table": ("raw.t", {"a b": "INTEGER"})})
    assert found.fields == {'c"d': (Edge("raw.t", "a b", "DIRECT", "IDENTITY"),)}


def test_variables_of_the_process_are_no_tables():
    secret = pa.table({"a": [1]})
    assert "secret" in columns_of("SELECT * FROM secret", {}).errors[0]
    assert secret.num_rows == 1


def test_a_type_that_duckdb_does_not_know_is_an_error_and_no_exception():
    assert "NONSENSE" in columns_of("SELECT a FROM t", {"t": ("raw.t", {"a": "NONSENSE"})}).errors[0]


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ({"type": "LOGICAL_TELEPORT", "children": []}, "LOGICAL_TELEPORT"),
        (
            {
                "type": "LOGICAL_COMPARISON_JOIN",
                "join_type": "SIDEWAYS",
                "children": [{"type": "LOGICAL_DUMMY_SCAN"}] * 2,
            },
            "SIDEWAYS",
        ),
        ({"type": "LOGICAL_COMPARISON_JOIN", "delim_flipped": True, "children": []}, "correlated"),
        ({"type": "LOGICAL_CTE_REF", "cte_index": 7}, "7"),
        ({"type": "LOGICAL_GET", "qname": {"path": ["telepathy"]}, "column_indexes": []}, "telepathy"),
        ({"type": "LOGICAL_GET", "function_data": {"qualified_name": {"path": ["other"]}}}, "other"),
        (
            {
                "type": "LOGICAL_SAMPLE",
                "seed": {"expression_class": "BOUND_CONSTANT"},
                "children": [{"type": "LOGICAL_DUMMY_SCAN"}],
            },
            "'seed'",
        ),
    ],
)
def test_an_operator_that_is_not_understood_is_never_a_blank(node, says):
    with pytest.raises(UnknownPlan, match=says):
        Walk({}).relation(node)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ({"expression_class": "BOUND_ORACLE"}, "BOUND_ORACLE"),
        ({"expression_class": "BOUND_REF", "index": 3}, "column 3"),
        ({"expression_class": "BOUND_COLUMN_REF", "binding": {"table_index": 5, "column_index": 0}}, "operator 5"),
        ({"expression_class": "BOUND_CONSTANT", "hint": [{"expression_class": "BOUND_REF"}]}, "'hint'"),
    ],
)
def test_an_expression_that_is_not_understood_is_never_a_blank(node, says):
    with pytest.raises(UnknownPlan, match=says):
        influence(node, Scope((), {}))


def test_columns_of_a_collected_dataset_come_from_each_of_its_files():
    found = columns_of_files(["b.csv", "a.csv"], ["id"])
    assert found.fields == {
        "id": (Edge("a.csv", "id", "DIRECT", "TRANSFORMATION"), Edge("b.csv", "id", "DIRECT", "TRANSFORMATION"))
    }


def test_what_is_not_sql_is_said_to_be_unknown():
    assert not_extracted("a Python function") == ColumnLineage(errors=("a Python function",))
