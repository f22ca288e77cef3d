"""Makers read what is and was published: never a personal value, nothing beside it, and always with a record."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ecluse.errors import DefinitionError, IntegrityError, LedgerError, NotComputed, StorageError
from ecluse.ledger import Log
from ecluse.lineage import EventStore
from ecluse.step.asof import published_state
from ecluse.step.reading import PURPOSE, read_rows
from ecluse.step.retention import expire
from ecluse.step.run import run_step
from ecluse.step.state import StepRequest
from ecluse.store import Database
from tests.step.chain import CHARTER, RAW, Chain

MAIL = "ann@example.org"


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    found = Chain(tmp_path_factory.mktemp("shop"))
    found.make(RAW, f"1,5,{MAIL}\n2,70,{MAIL}\n3,700,c\n")
    yield found
    found.close()


def read(chain, as_of=None, **how):
    return read_rows(chain.services, published_state(chain.services, RAW, as_of), **how)


def recorded(chain):
    database = Database(chain.services.project.reads_url)
    try:
        events = [event["eventType"] for event in EventStore(database).events()]
        return [*Log(database, chain.services.trust).facts("read")], events
    finally:
        database.close()


def test_personal_columns_are_named_and_not_shown(chain):
    found = read(chain)
    assert (found.columns, found.hidden, found.count) == (("id", "amount"), {"mail": "personal"}, 3)
    assert found.rows == ((1, 5), (2, 70), (3, 700))


def test_columns_a_condition_and_a_limit_narrow_it(chain):
    found = read(chain, columns=["amount"], where="id > 1 -- all but the first", limit=1)
    assert (found.columns, found.rows) == (("amount",), ((70,),))


@pytest.mark.parametrize(
    "where",
    [
        "id IN (SELECT id FROM other)",
        "EXISTS (FROM read_csv('orders.csv'))",
        "true) UNION SELECT 1, 2 WHERE (true",
        "true) LIMIT (1",
        "true) GROUP BY (1",
        "true); DROP TABLE x; SELECT (1",
        "",
        "id >",
        "SELECT 1",
    ],
)
def test_a_condition_is_one_condition_and_reads_nothing_else(chain, where):
    with pytest.raises(DefinitionError) as caught:
        read(chain, where=where)
    assert caught.value.key == "step.read_where"


def test_a_condition_sees_only_what_is_shown_and_its_error_quotes_no_value(chain):
    for where in (f"mail = '{MAIL}'", "amount > 'x'", "id = $1"):
        with pytest.raises(NotComputed) as caught:
            read(chain, where=where)
        assert caught.value.key == "step.read_condition"
        assert MAIL not in str(caught.value).replace(where, "")


@pytest.mark.parametrize("columns", [["mail"], ["id", "_origin"], ["nothing"]])
def test_a_column_that_is_not_shown_can_not_be_asked_for(chain, columns):
    with pytest.raises(DefinitionError, match="id, amount"):
        read(chain, columns=columns)


def test_every_read_is_recorded_with_who_what_and_whether_it_was_copied(chain, tmp_path):
    read(chain, columns=["id"], to=tmp_path / "rows.csv")
    (*_, signed), events = recorded(chain)
    said = signed.fact.predicate
    assert (said["datasets"], said["purpose"], said["reader"], said["opens"]) == ([RAW], PURPOSE, "pipeline", True)
    assert (said["columns"], said["copied"], said["version"]) == ([f"{RAW}.id"], True, None)
    assert said["snapshot_id"] == str(chain.services.warehouse.head(RAW))
    assert events[-2:] == ["START", "COMPLETE"]


def test_nothing_is_shown_where_the_read_can_not_be_recorded(chain, tmp_path):
    before = len(recorded(chain)[0])
    chain.reopen(CHARTER.replace(", read]", "]"))
    try:
        with pytest.raises(LedgerError):
            read(chain, to=tmp_path / "rows.csv")
    finally:
        chain.reopen(CHARTER)
    assert (len(recorded(chain)[0]), [*tmp_path.iterdir()]) == (before, [])


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "ROWS.CSV"])
def test_rows_are_written_whole_to_a_new_file(chain, tmp_path, name):
    to = tmp_path / name
    found = read(chain, where="amount > 50", to=to)
    assert (found.count, found.rows) == (2, ())
    if name.endswith("parquet"):
        assert pq.read_table(to).to_pylist() == [{"id": 2, "amount": 70}, {"id": 3, "amount": 700}]
    else:
        assert to.read_text() == "id,amount\n2,70\n3,700\n"
    assert [*tmp_path.iterdir()] == [to]


def test_no_file_is_written_over_nor_into_a_folder_that_is_not_there(chain, tmp_path):
    (tmp_path / "rows.csv").write_text("mine")
    for to, kind, key in (
        (tmp_path / "rows.csv", DefinitionError, "step.read_there"),
        (tmp_path / "rows.xlsx", DefinitionError, "step.read_format"),
        (tmp_path / "nowhere" / "rows.csv", StorageError, "step.read_write"),
    ):
        with pytest.raises(kind) as caught:
            read(chain, to=to)
        assert caught.value.key == key
    assert (tmp_path / "rows.csv").read_text() == "mine"


def test_a_column_that_was_found_personal_since_is_hidden_in_older_states_too(tmp_path):
    chain = Chain(tmp_path)
    old = chain.make(RAW, "1,5,a\n")
    step = chain.steps[RAW]
    columns = [replace(c, classification="personal") if c.name == "amount" else c for c in step.guard.contract.columns]
    stricter = replace(step.guard, contract=replace(step.guard.contract, columns=tuple(columns)))
    run_step(replace(step, guard=stricter), StepRequest(str(uuid.uuid4()), force=True), chain.services)
    found = read(chain, str(old))
    assert (found.columns, found.hidden) == (("id",), {"amount": "personal", "mail": "personal"})
    chain.close()


def test_a_state_that_expired_says_so_and_an_altered_file_is_not_shown(tmp_path):
    chain = Chain(tmp_path)
    old = chain.make(RAW, "1,5,a\n")
    head = chain.make(RAW, "2,5,a\n")
    expire(chain.services, timedelta(0))
    with pytest.raises(NotComputed) as caught:
        read(chain, str(old))
    assert caught.value.key == "step.as_of_expired"
    (file,) = chain.services.warehouse.files(RAW, head)
    path: Path = chain.services.warehouse.path(file)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        read(chain)
    chain.close()
