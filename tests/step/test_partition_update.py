"""update="partition": the partitions into which the rows fall are replaced, and only those whose rows changed."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.errors import BrokenData, NotComputed
from ecluse.model.counts import counted
from ecluse.model.names import quarantine_name
from ecluse.model.step import Files
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest
from tests.step.updates import Dataset, between

COLUMNS = {"month": "VARCHAR", "id": "BIGINT", "amount": "BIGINT"}


@pytest.fixture
def sales(tmp_path):
    made = Dataset(tmp_path, COLUMNS, key=("id",), update="partition", partition_by="month")
    yield made
    made.close()


def of(files, month):
    return {path: sha for path, sha in files.items() if f"partition={month}/" in path}


def test_only_partitions_of_the_batch_are_replaced(sales):
    sales.give([("2024-01", 1, 5), ("2024-01", 2, 6), ("2024-02", 3, 7)])
    before = sales.files()
    result = sales.give([("2024-02", 4, 8), ("2024-03", 5, 9)])
    assert result.published, result.blocks
    assert sales.published() == [("2024-01", 1, 5), ("2024-01", 2, 6), ("2024-02", 4, 8), ("2024-03", 5, 9)]
    assert of(sales.files(), "2024-01") == of(before, "2024-01")
    a = result.accounting
    assert (a.previous, a.replaced, a.added, a.current) == (3, 1, 2, 4)


def test_a_partition_whose_rows_are_the_same_is_not_written_again(sales):
    sales.give([("2024-01", 1, 5), ("2024-01", 2, 6), ("2024-02", 3, 7)])
    before = sales.files()
    result = sales.give([("2024-02", 3, 8), ("2024-01", 2, 6), ("2024-01", 1, 5)])
    assert of(sales.files(), "2024-01") == of(before, "2024-01")
    assert of(sales.files(), "2024-02") != of(before, "2024-02")
    assert (result.accounting.unchanged, result.accounting.added, result.accounting.replaced) == (2, 1, 1)


def test_an_expression_names_the_partitions(tmp_path):
    sales = Dataset(tmp_path, COLUMNS, key=("id",), update="partition", partition_by="'half-' || (id % 2)")
    sales.give([("a", 1, 1), ("b", 2, 2), ("c", 3, 3)])
    assert sorted({path.split("/partition=")[1].split("/")[0] for path in sales.files()}) == ["half-0", "half-1"]
    sales.give([("d", 4, 4)])
    assert sales.published() == [("a", 1, 1), ("c", 3, 3), ("d", 4, 4)]
    sales.close()


@pytest.mark.parametrize("value", [None, "all", "a/b", ""])
def test_a_value_that_can_name_no_folder_is_refused_and_not_shown(sales, value):
    with pytest.raises(BrokenData) as refused:
        sales.give([("2024-01", 1, 5), (value, 2, 6)])
    assert "1 rows of clean.rows" in str(refused.value)
    assert sales.published() == []


def test_an_expression_that_fails_on_a_row_could_not_be_computed(tmp_path):
    sales = Dataset(tmp_path, COLUMNS, key=("id",), update="partition", partition_by="CAST(month AS INTEGER)")
    with pytest.raises(NotComputed):
        sales.give([("x", 1, 5)])
    sales.close()


def test_rows_that_another_mode_published_move_into_their_partitions(sales):
    sales.give([("2024-01", 1, 5), ("2024-02", 2, 6), ("2024-02", 3, 7)], update="replace", partition_by=None)
    result = sales.give([("2024-02", 4, 8)])
    assert result.published, result.blocks
    assert sales.published() == [("2024-01", 1, 5), ("2024-02", 4, 8)]
    assert all("partition=2024" in path for path in sales.files())


def test_replacing_the_whole_dataset_leaves_no_partition_behind(sales):
    sales.give([("2024-01", 1, 5), ("2024-02", 2, 6)])
    sales.give([("2024-03", 9, 9)], update="replace", partition_by=None)
    assert sales.published() == [("2024-03", 9, 9)]


def test_the_quarantine_of_a_partition_is_replaced_with_it(tmp_path):
    sales = Dataset(
        tmp_path, COLUMNS, key=("id",), update="partition", partition_by="month",
        expectations=[between("amount", min_value=0)], contract={"on_failure": "quarantine", "quarantine_at_most": 0.5},
    )  # fmt: skip
    warehouse, held = sales.services.warehouse, quarantine_name("clean.rows")

    def quarantined():
        return sorted((f.partition, f.rows) for f in warehouse.files(held, warehouse.head(held)))

    sales.give([("2024-01", 1, -5), ("2024-01", 2, 6), ("2024-02", 3, 7), ("2024-02", 4, -1)])
    assert quarantined() == [("2024-01", 1), ("2024-02", 1)]
    result = sales.give([("2024-01", 1, 5), ("2024-01", 2, 6)])
    assert result.published, result.blocks
    assert quarantined() == [("2024-02", 1)]
    assert sales.published() == [("2024-01", 1, 5), ("2024-01", 2, 6), ("2024-02", 3, 7)]
    counts = {}
    for signed in sales.services.log.facts(kind="publication"):
        counts = counted(counts, signed.fact.predicate)
    assert counts == {"2024-01": (2, 0), "2024-02": (1, 1)}
    sales.close()


@pytest.fixture
def collected(tmp_path):
    made = Collected(tmp_path)
    yield made
    made.close()


class Collected(Dataset):
    """Sales as their files say, each line a row or unreadable."""

    def __init__(self, folder):
        super().__init__(
            folder, COLUMNS, key=("id",), update="partition", partition_by="month",
            contract={"on_failure": "quarantine", "quarantine_at_most": 0.5},
        )  # fmt: skip
        self.folder = folder
        self.step = replace(self.step, kind="source", compute=lambda: Files(*self.paths))

    def collect(self, *, force=False, **files):
        """Carry out the step on files by their names, each with these lines."""
        self.paths = [self.folder / f"{name}.csv" for name in files]
        for path, lines in zip(self.paths, files.values(), strict=True):
            path.write_text("\n".join(["month,id,amount", *lines, ""]))
        result = run_step(self.step, StepRequest(str(uuid.uuid4()), force=force), self.services)
        assert result.published, result.blocks

    @property
    def unreadable(self):
        """The lines in quarantine; the facts count as many."""
        warehouse, held = self.services.warehouse, quarantine_name(self.step.name)
        head = warehouse.head(held)
        with self.services.engine() as engine:
            found = engine.rows(f"SELECT _raw FROM {warehouse.scan(held, head)} ORDER BY ALL") if head else []
        counts = {}
        for signed in self.services.log.facts(kind="publication"):
            counts = counted(counts, signed.fact.predicate)
        assert sum(gone for _, gone in counts.values()) == len(found)
        return [line for (line,) in found]


def test_unreadable_lines_are_held_once_however_often_their_file_is_read(collected):
    lines = ["2024-01,1,5", "2024-01,2,many", "2024-02,3,7"]
    collected.collect(sales=lines)
    collected.collect(sales=lines, force=True)
    assert collected.unreadable == ["2024-01,2,many"]
    collected.collect(sales=lines, more=["2024-03,4,8", "2024-03,5,few"])
    assert collected.unreadable == ["2024-01,2,many", "2024-03,5,few"]


def test_unreadable_lines_go_when_every_partition_of_their_run_is_computed_anew(collected):
    collected.collect(sales=["2024-01,1,5", "2024-01,2,many", "2024-02,3,7"])
    collected.collect(later=["2024-03,4,8", "2024-03,5,few"])
    collected.collect(sales=["2024-01,1,5", "2024-01,2,6", "2024-02,3,7"])
    assert collected.published() == [("2024-01", 1, 5), ("2024-01", 2, 6), ("2024-02", 3, 7), ("2024-03", 4, 8)]
    assert collected.unreadable == ["2024-03,5,few"]
    collected.collect(later=["2024-03,4,8"])
    assert collected.unreadable == []


def test_an_unreadable_line_stays_that_may_belong_to_a_partition_which_is_not_computed_anew(collected):
    collected.collect(sales=["2024-01,1,5", "2024-0?,2,many", "2024-02,3,7"])
    collected.collect(sales=["2024-01,1,6"])
    assert collected.unreadable == ["2024-0?,2,many"]


def test_a_partition_that_is_broken_throughout_stays_as_it_was(tmp_path):
    sales = Dataset(
        tmp_path, COLUMNS, key=("id",), update="partition", partition_by="month",
        expectations=[between("amount", min_value=0)], contract={"on_failure": "quarantine", "quarantine_at_most": 0.5},
    )  # fmt: skip
    sales.give([("2024-01", 1, 5), ("2024-02", 2, 6)])
    result = sales.give([("2024-01", 1, -5), ("2024-02", 2, 7)])
    assert result.published, result.blocks
    assert sales.published() == [("2024-01", 1, 5), ("2024-02", 2, 7)]
    sales.close()


def test_a_step_that_computes_what_is_published_writes_no_file(tmp_path):
    sales = Dataset(tmp_path, COLUMNS, key=("id",))
    first = sales.give([("a", 1, 5), ("b", 2, 6)])
    before = sales.files()
    again = sales.give([("b", 2, 6), ("a", 1, 5)])
    assert (again.ending, again.rows, again.data_version) == (Ending.PUBLISHED, 2, first.data_version)
    assert sales.files() == before
    assert again.snapshot_id != first.snapshot_id
    assert (again.accounting.unchanged, again.accounting.added, again.accounting.replaced) == (2, 0, 0)
    other = sales.give([("b", 2, 6), ("a", 1, 6)])
    assert other.data_version != first.data_version
    assert sales.published() == [("a", 1, 6), ("b", 2, 6)]
    sales.close()


def test_rows_that_are_there_another_number_of_times_are_other_rows(tmp_path):
    sales = Dataset(tmp_path, COLUMNS, key=())
    sales.give([("a", 1, 5), ("a", 1, 5), ("b", 2, 6)])
    sales.give([("a", 1, 5), ("b", 2, 6), ("b", 2, 6)])
    assert sales.published() == [("a", 1, 5), ("b", 2, 6), ("b", 2, 6)]
    sales.close()


rows = st.tuples(st.sampled_from(["p", "q", "r"]), st.integers(1, 4), st.integers(0, 2))


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(rows, max_size=5), min_size=1, max_size=3))
def test_a_partition_holds_the_rows_of_the_last_batch_that_had_some_for_it(tmp_path_factory, batches):
    sales = Dataset(tmp_path_factory.mktemp("part"), COLUMNS, key=(), update="partition", partition_by="month")
    model = {}
    for batch in [*batches, batches[-1]]:
        before, files = dict(model), sales.files() if model else {}
        for part in {row[0] for row in batch}:
            model[part] = sorted(row for row in batch if row[0] == part)
        result = sales.give(batch)
        assert result.published, result.blocks
        assert sales.published() == sorted(row for part in model.values() for row in part)
        for part, rows in before.items():
            same = of(sales.files(), part) == of(files, part)
            assert same == (rows == model[part])
    sales.close()
