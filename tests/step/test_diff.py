"""Two versions compared: what is counted as added, removed and changed, and that no value comes out."""

from __future__ import annotations

import itertools
import math

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine
from ecluse.errors import NotComputed
from ecluse.model.release import TableVersion
from ecluse.step.diff import diff_versions
from ecluse.store import Database
from ecluse.warehouse import Warehouse

DATASET = "products.t"


class House:
    def __init__(self, folder):
        self.database = Database(f"sqlite:///{folder / 'ecluse.db'}")
        self.warehouse = Warehouse(folder / "warehouse", self.database)
        self.engine = Engine(threads=1)
        self.runs = itertools.count()

    def version(self, data, partition=None, dataset=DATASET):
        if isinstance(data, str):
            sql = data
        else:
            self.engine.connection.register("given", data)
            sql = "SELECT * FROM given"
        columns = self.engine.describe(sql)
        candidate = self.warehouse.begin(dataset, columns, partition=partition, run_id=str(next(self.runs)), attempt=1)
        candidate = self.warehouse.write(self.engine, candidate, sql, "replace")
        prepared = self.warehouse.prepare([candidate])
        with self.database.transaction() as connection:
            prepared.apply(connection)
        files = self.warehouse.files(dataset, candidate.snapshot_id)
        return TableVersion(dataset, self.warehouse.table_uuid(dataset), candidate.snapshot_id, files, "", "")

    def diff(self, before, after, key=("id",)):
        return diff_versions(self.engine, self.warehouse, before, after, key)


@pytest.fixture
def house(tmp_path):
    found = House(tmp_path)
    yield found
    found.engine.close()
    found.database.close()


ROWS = st.dictionaries(
    st.one_of(st.none(), st.integers(0, 9)),
    st.tuples(st.one_of(st.none(), st.floats(allow_nan=True)), st.one_of(st.none(), st.text(max_size=2))),
    max_size=8,
)


def table(rows):
    ids, floats, texts = [*rows], [a for a, _ in rows.values()], [b for _, b in rows.values()]
    types = {"id": pa.int64(), "a": pa.float64(), "b": pa.string()}
    return pa.table({n: pa.array(v, t) for (n, t), v in zip(types.items(), (ids, floats, texts), strict=True)})


def same(one, other):
    return one == other or (
        isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ROWS)
def test_the_counts_are_those_of_two_dictionaries(house, before, after):
    dataset = f"made.t{next(house.runs)}"
    found = house.diff(*(house.version(table(rows), dataset=dataset) for rows in (before, after)))
    shared = before.keys() & after.keys()
    differs = {n: {k for k in shared if not same(before[k][i], after[k][i])} for i, n in enumerate("ab")}
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    assert (found.added, found.removed) == (len(after.keys() - before.keys()), len(before.keys() - after.keys()))
    assert found.changed == len(differs["a"] | differs["b"])
    assert found.columns_changed == {n: len(ids) for n, ids in differs.items() if ids}
    assert found.same == (not (found.added or found.removed or found.changed))


def test_columns_that_were_added_and_widened_are_told_apart_from_values(house):
    one = house.version("SELECT 1::BIGINT AS id, 2::INTEGER AS n, 'x' AS _origin")
    other = house.version("SELECT 1::BIGINT AS id, 2::BIGINT AS n, 'y' AS _origin, 'new' AS c")
    found = house.diff(one, other)
    assert (found.columns_added, found.types_changed) == ({"c": "VARCHAR"}, {"n": ("INTEGER", "BIGINT")})
    assert (found.changed, found.columns_changed, found.same) == (0, {}, False)
    back = house.diff(other, one)
    assert back.columns_removed == {"c": "VARCHAR"}


def test_data_files_that_both_versions_hold_are_not_read(house):
    one = house.version("SELECT i AS id, 1 AS n FROM range(100) r(i)", partition="a")
    other = house.version("SELECT i AS id, 1 AS n FROM range(100, 103) r(i)", partition="b")
    house.warehouse.path(one.files[0]).write_bytes(b"")
    found = house.diff(one, other)
    assert (found.rows_before, found.rows_after, found.added, found.removed) == (100, 103, 3, 0)


def test_a_row_that_moved_to_another_file_did_not_change(house):
    one = house.version("SELECT i AS id, 1 AS n FROM range(10) r(i)", partition="a")
    house.version("SELECT i AS id, 1 AS n FROM range(5) r(i)", partition="b")
    other = house.version("SELECT i AS id, 1 AS n FROM range(5, 10) r(i)", partition="a")
    assert house.diff(one, other).same


@pytest.mark.parametrize("key", [(), ("nowhere",)], ids=["no key", "a key that is gone"])
def test_without_a_key_whole_rows_are_counted_as_often_as_they_are_there(house, key):
    one = house.version("SELECT * FROM (VALUES (1, 'a'), (1, 'a'), (2, NULL)) t(id, b)")
    other = house.version("SELECT * FROM (VALUES (1, 'a'), (2, NULL), (2, 'c')) t(id, b)")
    found = house.diff(one, other, key)
    assert (found.key, found.added, found.removed, found.changed) == ((), 1, 1, 0)


@pytest.mark.parametrize("rows", ["(1, 'a'), (1, 'c')", "(1, 'a'), (2, 'b')"])
def test_a_key_that_repeats_is_not_computed(house, rows):
    one = house.version("SELECT * FROM (VALUES (1, 'a'), (1, 'b')) t(id, b)")
    other = house.version(f"SELECT * FROM (VALUES {rows}) t(id, b)")
    with pytest.raises(NotComputed) as caught:
        house.diff(one, other)
    assert caught.value.key == "step.diff_key"


def test_nested_columns_are_compared(house):
    one = house.version("SELECT 1 AS id, [1, 2] AS l, {'a': 1} AS s")
    other = house.version("SELECT 1 AS id, [1, 3] AS l, {'a': 1} AS s")
    assert house.diff(one, other).columns_changed == {"l": 1}
