"""Attacks from inside: what a consumer holds after ``load`` gives nothing but what was granted."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import asdict

import duckdb
import pyarrow as pa
import pytest

from ecluse.access import load_pseudonym_key
from ecluse.access.pseudonyms import pseudonym_parameters, purpose_key
from ecluse.door import load
from ecluse.errors import NotComputed
from tests.door.conftest import PRODUCT

SECRETS = ("x@example.org", "z@example.org", "flu", "cold", "secret", "f:1")


@pytest.fixture
def relation(kept):
    return load(PRODUCT, purpose="care").relation()


def file_of(project):
    return project.warehouse.path(project.manifest.products[0].files[0])


def keys_of(project):
    """Every form in which the key of pseudonyms could be read."""
    whole = load_pseudonym_key(project.project)
    parts = (whole, purpose_key(whole, "care"), *pseudonym_parameters(whole, "care").values())
    hexadecimal = [part.hex() for part in parts]
    return [*hexadecimal, *("".join(f"\\x{byte:02x}" for byte in part) for part in parts), *map(repr, parts)]


@pytest.mark.parametrize(
    "attack",
    [
        "FROM read_parquet('{file}')",
        "FROM '{file}'",
        "FROM read_parquet('{folder}/**/*.parquet')",
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
        "FROM glob('/*')",
        "ATTACH '{root}/.ecluse/demo/ecluse.db' AS log (TYPE sqlite)",
        "ATTACH '{root}/other.duckdb'",
        "COPY granted TO '{root}/out.csv'",
        "EXPORT DATABASE '{root}/out'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/']",
        "SET allowed_directories = ['/']",
        "RESET enable_external_access",
        "SET lock_configuration = false",
        "SET temp_directory = '{root}'",
        "PRAGMA enable_profiling",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE SECRET s (TYPE s3, KEY_ID 'k', SECRET 's')",
        "SELECT illness FROM granted",
        "SELECT _origin FROM granted",
        "SELECT extra FROM granted",
        "SELECT $ecluse_inner FROM granted",
        "FROM rows_of_python",
    ],
)
def test_no_statement_on_the_relation_opens_more(kept, relation, attack):
    rows_of_python = pa.table({"a": [1]})
    assert rows_of_python.num_rows
    before = sorted(kept.root.rglob("*"))
    statement = attack.format(file=file_of(kept), folder=file_of(kept).parent, root=kept.root)
    with pytest.raises(duckdb.Error):
        relation.query("granted", statement).fetchall()
    assert sorted(kept.root.rglob("*")) == before


def test_what_the_relations_engine_says_of_itself_tells_nothing(kept, relation):
    told = [relation.sql_query(), relation.explain(), repr(relation)]
    questions = (
        "FROM duckdb_settings()",
        "FROM duckdb_tables()",
        "FROM duckdb_views()",
        "FROM duckdb_columns()",
        "FROM duckdb_databases()",
        "FROM duckdb_functions() WHERE NOT internal",
        "FROM duckdb_prepared_statements()",
        "FROM duckdb_variables()",
        "EXPLAIN FROM granted",
        "EXPLAIN ANALYZE FROM granted",
        "SELECT sql FROM sqlite_master",
    )
    told += [str(relation.query("granted", question).fetchall()) for question in questions]
    text = "\n".join(told)
    for secret in (*SECRETS[:2], *keys_of(kept), str(file_of(kept)), file_of(kept).name):
        assert secret not in text


def test_tables_of_the_relations_engine_are_what_was_granted_and_no_other(relation):
    tables = relation.query("granted", "SELECT table_name FROM duckdb_tables()").fetchall()
    columns = relation.query("granted", "SELECT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    assert [name for (name,) in tables] == ["granted"]
    assert {name for (name,) in columns} == {"id", "age", "email"}


def test_changing_the_relations_table_changes_no_data(kept, relation):
    relation.query("granted", "DELETE FROM granted")
    assert load(PRODUCT, purpose="care").arrow().num_rows == 3


def test_what_is_printed_dumped_or_copied_holds_no_key(kept):
    loaded = load(PRODUCT, purpose="care")
    shown = repr(loaded) + str(vars(loaded)) + loaded._query.sql
    assert not [key for key in keys_of(kept) if key in shown]
    for dump in (pickle.dumps, asdict):
        with pytest.raises(TypeError):
            dump(loaded)


# -- row filters ---------------------------------------------------------------------------------------------------


@pytest.fixture
def failing(released):
    """A grant whose filter fails on some row, with a value in DuckDB's message."""
    released.charter("columns: {public", 'row_filter: "CAST(illness AS INTEGER) > 1"\n    columns: {public')
    return released


@pytest.mark.parametrize("form", ["arrow", "pandas", "polars", "relation", "batches"])
def test_a_filter_that_fails_on_a_row_shows_no_value_of_it(failing, form):
    loaded = load(PRODUCT, purpose="care")
    read = getattr(loaded, form) if form != "batches" else lambda: loaded.batches().read_all()
    with pytest.raises(NotComputed) as caught:
        read()
    told = "".join(traceback.format_exception(caught.value))
    assert caught.value.key == "door.rows"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    for secret in (*SECRETS, *keys_of(failing), str(file_of(failing))):
        assert secret not in told


def test_no_local_of_a_failure_holds_a_key(failing):
    loaded = load(PRODUCT, purpose="care")
    with pytest.raises(NotComputed) as caught:
        loaded.arrow()
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [key for key in keys_of(failing) if key in told]


def test_rows_that_a_filter_leaves_out_are_in_no_relation(released):
    released.charter("columns: {public", 'row_filter: "age > 40"\n    columns: {public')
    relation = load(PRODUCT, purpose="care").relation()
    # A condition that would fail on what was left out, if it were there.
    probed = relation.query("granted", "SELECT id FROM granted WHERE CAST(1 / (age - 30) AS INTEGER) >= 0").fetchall()
    assert probed == [(3,)]
    assert relation.aggregate("count(*)").fetchall() == [(1,)]


def test_types_survive_the_way_into_the_relation(released):
    loaded = load(PRODUCT, purpose="care")
    assert [str(t) for t in loaded.relation().types] == ["BIGINT", "INTEGER", "VARCHAR"]
    assert loaded.relation().to_arrow_table().to_pylist() == loaded.arrow().to_pylist()
