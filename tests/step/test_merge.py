"""update="merge": an upsert by key, where the newest row wins, whatever the order in which rows arrive."""

from __future__ import annotations

import great_expectations.expectations as gxe
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.model.counts import counted
from ecluse.model.names import quarantine_name
from ecluse.step.state import Ending
from tests.step.updates import Dataset, between

ONE, TWO = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
COLUMNS = {"id": "BIGINT", "at": "BIGINT", "name": "VARCHAR"}


@pytest.fixture
def people(tmp_path):
    made = Dataset(tmp_path, COLUMNS, key=("id",), update="merge", newest_by=("at",))
    yield made
    made.close()


def counts(result):
    a = result.accounting
    return {n: getattr(a, n) for n in ("published", "unchanged", "late", "superseded", "replaced", "added", "current")}


def test_a_newer_row_takes_the_place_of_the_published_one_and_a_new_key_is_added(people):
    people.give([(1, 1, "ada"), (2, 1, "bo")])
    result = people.give([(2, 2, "bob"), (3, 1, "cy")])
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert people.published() == [(1, 1, "ada"), (2, 2, "bob"), (3, 1, "cy")]
    assert counts(result) == {
        "published": 2, "unchanged": 0, "late": 0, "superseded": 0, "replaced": 1, "added": 2, "current": 3,
    }  # fmt: skip


def test_a_late_row_does_not_overwrite(people):
    people.give([(1, 5, "new")])
    before = people.files()
    result = people.give([(1, 4, "old"), (1, None, "older")])
    assert people.published() == [(1, 5, "new")]
    assert people.files() == before
    assert (result.accounting.late, result.accounting.superseded, result.accounting.published) == (1, 1, 0)


def test_of_equally_new_rows_the_greater_wins_in_either_order(people):
    people.give([(1, 1, "b")])
    people.give([(1, 1, "a")])
    people.give([(1, 1, None)])
    assert people.published() == [(1, 1, "b")]
    people.give([(1, 1, "c")])
    assert people.published() == [(1, 1, "c")]


def test_files_without_a_replaced_row_stay_byte_for_byte(people):
    people.give([(1, 1, "ada"), (2, 1, "bo")])
    first = people.files()
    people.give([(3, 1, "cy"), (4, 1, "di")])
    second = {path: sha for path, sha in people.files().items() if path not in first}
    people.give([(1, 2, "ann"), (5, 1, "el")])
    after = people.files()
    assert not first.keys() & after.keys()
    assert second.items() <= after.items()
    assert people.published() == [(1, 2, "ann"), (2, 1, "bo"), (3, 1, "cy"), (4, 1, "di"), (5, 1, "el")]


def test_the_same_rows_again_touch_no_file(people):
    people.give([(1, 1, "ada"), (2, 1, "bo")])
    before = people.files()
    again = people.give([(2, 1, "bo"), (1, 1, "ada")], force=True)
    assert again.ending is Ending.PUBLISHED
    assert people.files() == before
    assert (again.accounting.unchanged, again.accounting.added, again.accounting.replaced) == (2, 0, 0)


def test_a_rerun_is_unchanged_and_has_the_same_data_version(people):
    people.give([(1, 1, "ada")], run=ONE)
    first = people.give([(2, 1, "bo")], run=TWO)
    again = people.give([(2, 1, "bo")], run=TWO)
    assert (first.ending, again.ending) == (Ending.PUBLISHED, Ending.UNCHANGED)
    assert first.data_version == again.data_version


def test_another_declaration_is_computed_again(people):
    people.give([(1, 1, "ada")], run=ONE)
    assert people.give([(1, 1, "ada")], run=ONE, newest_by=("at", "name")).ending is Ending.PUBLISHED


def test_a_quarantined_row_does_not_win_over_a_good_one(tmp_path):
    people = Dataset(
        tmp_path, COLUMNS, key=("id",), update="merge", newest_by=("at",), expectations=[between("at", max_value=9)],
        contract={"on_failure": "quarantine", "quarantine_at_most": 0.6},
    )  # fmt: skip
    people.give([(1, 1, "ada"), (2, 1, "bo")])
    result = people.give([(1, 99, "broken"), (1, 2, "ann"), (3, 1, "cy")])
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert people.published() == [(1, 2, "ann"), (2, 1, "bo"), (3, 1, "cy")]
    a = result.accounting
    assert (a.computed, a.published, a.quarantined) == (3, 2, 1)
    warehouse, held = people.services.warehouse, quarantine_name("clean.rows")
    assert sum(f.rows for f in warehouse.files(held, warehouse.head(held))) == 1
    people.close()


def test_a_row_is_quarantined_once_however_often_its_step_is_computed_again(tmp_path):
    people = Dataset(
        tmp_path, COLUMNS, key=("id",), update="merge", newest_by=("at",), expectations=[between("at", max_value=9)],
        contract={"on_failure": "quarantine", "quarantine_at_most": 0.6},
    )  # fmt: skip
    first = [(1, 1, "ada"), (2, 99, "broken")]
    people.give(first, run=ONE)
    people.give([(1, 2, "ann"), (3, 98, "broken too")], run=TWO)
    again = people.give(first, run=ONE)
    assert again.ending is Ending.PUBLISHED, "another merge took its row along, so that it is computed again"
    warehouse, held = people.services.warehouse, quarantine_name("clean.rows")
    with people.services.engine() as engine:
        rows = engine.rows(f"SELECT id FROM {warehouse.scan(held, warehouse.head(held))} ORDER BY ALL")
    assert rows == [(2,), (3,)]
    counts = {}
    for signed in people.services.log.facts("publication"):
        counts = counted(counts, signed.fact.predicate)
    assert counts == {"all": (1, 2)}
    people.close()


def test_a_promise_about_the_table_is_asked_of_the_result(tmp_path):
    at_most = gxe.ExpectTableRowCountToBeBetween(max_value=2, severity="critical", meta={"ecluse": {"scope": "table"}})
    people = Dataset(tmp_path, COLUMNS, key=("id",), update="merge", newest_by=("at",), expectations=[at_most])
    people.give([(1, 1, "a"), (2, 1, "b")])
    assert people.give([(2, 2, "c")]).ending is Ending.PUBLISHED
    assert people.give([(3, 1, "d")]).ending is Ending.BLOCKED
    assert people.published() == [(1, 1, "a"), (2, 2, "c")]
    people.close()


def test_an_append_that_became_a_merge_takes_all_rows_of_a_key_together(people):
    people.give([(1, 1, "a"), (2, 1, "b")], update="append", newest_by=())
    people.give([(1, 3, "c")])
    assert people.published() == [(1, 3, "c"), (2, 1, "b")]


rows = st.tuples(st.integers(1, 5), st.one_of(st.none(), st.integers(0, 3)), st.sampled_from(["a", "b", None]))


def order(row):
    """What decides between two rows of a key: their time, then their name; null is less than any value."""
    _, at, name = row
    return (at is not None, at or 0), (name is not None, name or "")


def model(batches):
    best = {}
    for row in (row for batch in batches for row in batch):
        if row[0] not in best or order(row) > order(best[row[0]]):
            best[row[0]] = row
    return sorted(best.values(), key=lambda row: row[0])


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), batches=st.lists(st.lists(rows, max_size=5), min_size=1, max_size=3))
def test_any_order_of_batches_gives_the_newest_row_of_each_key(tmp_path_factory, data, batches):
    given_in = data.draw(st.permutations([*batches, data.draw(st.sampled_from(batches))]))
    people = Dataset(tmp_path_factory.mktemp("merge"), COLUMNS, key=("id",), update="merge", newest_by=("at",))
    for position, batch in enumerate(given_in):
        result = people.give(batch)
        assert result.published, result.blocks
        assert people.published() == model(given_in[: position + 1])
    people.close()
