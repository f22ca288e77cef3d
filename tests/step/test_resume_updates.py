"""A blocked candidate of a mode that looks at what is published: its rows are kept, and held against what is there later."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from ecluse.errors import Conflict, IntegrityError
from ecluse.model.names import quarantine_name
from ecluse.model.outcome import Outcome
from ecluse.model.step import Guard
from ecluse.quality import guarded_suite
from ecluse.step import publish as publishing
from ecluse.step.preview import preview
from ecluse.step.state import Ending
from tests.step.orders import Shop, guard
from tests.step.stopping import ended_at
from tests.step.updates import Dataset, between

HELD = quarantine_name("clean.rows")


class Case(NamedTuple):
    """A mode: what is published first, a batch with one bad row, what both together are, and that without the bad row.

    ``changes`` counts the rows by key that the batch adds, removes and changes; ``law`` the rows that it computes, that
    are published, and that come late. ``other`` is a batch for other keys or partitions, ``same`` one for the same.
    """

    columns: dict
    declared: dict
    first: list
    batch: list
    whole: list
    good: list
    changes: tuple
    law: tuple
    other: list
    same: list
    both: list


CASES = {
    "merge": Case(
        {"id": "BIGINT", "at": "BIGINT", "name": "VARCHAR"},
        {"key": ("id",), "newest_by": ("at",)},
        first=[(1, 1, "ada"), (2, 1, "bo")],
        batch=[(2, 2, "bob"), (3, -1, "bad"), (1, 0, "late")],
        whole=[(1, 1, "ada"), (2, 2, "bob"), (3, -1, "bad")],
        good=[(1, 1, "ada"), (2, 2, "bob")],
        changes=(1, 0, 1),
        law=(3, 2, 1),
        other=[(4, 1, "di")],
        same=[(2, 3, "ben"), (1, 1, "ada")],
        both=[(1, 1, "ada"), (2, 3, "ben"), (3, -1, "bad")],
    ),
    "partition": Case(
        {"month": "VARCHAR", "id": "BIGINT", "at": "BIGINT"},
        {"key": ("id",), "partition_by": "month"},
        first=[("feb", 3, 1), ("jan", 1, 1), ("jan", 2, 1)],
        batch=[("jan", 1, 5), ("mar", 4, -1)],
        whole=[("feb", 3, 1), ("jan", 1, 5), ("mar", 4, -1)],
        good=[("feb", 3, 1), ("jan", 1, 5)],
        changes=(1, 1, 1),
        law=(2, 2, 0),
        other=[("oct", 9, 1)],
        same=[("jan", 1, 7)],
        both=[],
    ),
    "history": Case(
        {"id": "BIGINT", "at": "BIGINT", "valid_from": "BIGINT", "valid_to": "BIGINT", "is_current": "BOOLEAN"},
        {"key": ("id", "valid_from")},
        first=[(1, 1, 1), (2, 1, 1)],
        batch=[(1, 2, 5), (3, -1, 5)],
        whole=[(1, 1, 1, 5, False), (1, 2, 5, None, True), (2, 1, 1, None, True), (3, -1, 5, None, True)],
        good=[(1, 1, 1, 5, False), (1, 2, 5, None, True), (2, 1, 1, None, True)],
        changes=(2, 0, 1),
        law=(2, 2, 0),
        other=[(4, 1, 1)],
        same=[(1, 7, 3)],
        both=[
            (1, 1, 1, 3, False), (1, 2, 5, None, True), (1, 7, 3, 5, False), (2, 1, 1, None, True), (3, -1, 5, None, True),
        ],
    ),
}  # fmt: skip


class Held(Dataset):
    """A dataset with something published, and a batch that was blocked."""

    def __init__(self, folder, mode, *expectations, **contract):
        self.case = CASES[mode]
        strict = [between("at", min_value=0), *expectations]
        super().__init__(
            folder, self.case.columns, update=mode, expectations=strict, contract=contract, **self.case.declared
        )
        assert self.give(self.case.first).ending is Ending.PUBLISHED
        result = self.give(self.case.batch)
        assert result.ending is Ending.BLOCKED, result
        self.branch = result.branch

    def promising(self, *expectations, **contract):
        """What the step declares under another suite, and a contract that says something else of failures."""
        promised = replace(self.step.guard.contract, **contract)
        return {"guard": Guard(promised, lambda: gx.ExpectationSuite("rows", expectations=list(expectations)))}

    def published_later(self, *expectations, **contract):
        """The candidate published under another promise; who computes its rows again fails."""
        self.rows = None
        return self.later(self.branch, **self.promising(*expectations, **contract))

    @property
    def on_disk(self):
        """The data files of the dataset, published or not."""
        root = self.services.warehouse.root
        return {str(file.relative_to(root)) for file in (root / "clean" / "rows").rglob("*.parquet")}

    def ids(self, name):
        warehouse = self.services.warehouse
        with self.services.engine() as engine:
            return [
                id for (id,) in engine.rows(f"SELECT id FROM {warehouse.scan(name, warehouse.head(name))} ORDER BY 1")
            ]


@pytest.fixture(params=CASES)
def mode(request):
    return request.param


@pytest.fixture
def held(tmp_path, mode):
    made = Held(tmp_path, mode)
    yield made
    made.close()


def test_it_is_published_once_what_is_promised_allows_it(held, mode):
    result = held.published_later()
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert held.published() == held.case.whole
    a = result.accounting
    assert (a.outcome, (a.computed, a.published, a.late)) == (Outcome.HELD, held.case.law)
    assert (a.previous, a.current) == (len(held.case.first), len(held.case.whole))
    said = [f.fact.predicate for f in held.services.log.facts(kind="publication")][-1]
    assert (said["update"], said["snapshot_id"]) == (mode, str(held.services.warehouse.head("clean.rows")))
    assert (held.branches(), held.services.warehouse.sweep(grace=timedelta(0))) == ([], ())


@pytest.mark.parametrize("mode", ["history"])
def test_what_blocks_it_still_blocks_it_and_it_stays(held):
    result = held.published_later(between("at", min_value=0))
    assert (result.ending, [b.key for b in result.blocks]) == (Ending.BLOCKED, ["check_by_rows"])
    assert (held.branches(), len(held.published())) == ([held.branch], len(held.case.first))
    assert held.published_later().ending is Ending.PUBLISHED
    assert held.published() == held.case.whole


def test_rows_that_break_a_promise_leave_for_quarantine(held):
    result = held.published_later(between("at", min_value=0), on_failure="quarantine", quarantine_at_most=0.5)
    assert (result.ending, result.quarantined) == (Ending.PUBLISHED, 1), result.blocks
    assert (held.published(), len(held.ids(HELD))) == (held.case.good, 1)
    assert held.services.warehouse.sweep(grace=timedelta(0)) == ()


def test_one_that_blocks_after_rows_left_holds_all_of_them_again(held):
    some = gxe.ExpectTableRowCountToEqual(value=0, severity="critical")
    splits = {"on_failure": "quarantine", "quarantine_at_most": 0.5}
    result = held.published_later(between("at", min_value=0), some, **splits)
    assert (result.ending, [b.key for b in result.blocks]) == (Ending.BLOCKED, ["check"]), result.blocks
    assert held.branches() == [held.branch]
    held.services.warehouse.sweep(grace=timedelta(0))
    assert held.published_later().ending is Ending.PUBLISHED
    assert held.published() == held.case.whole


def test_what_was_published_of_other_rows_meanwhile_stays(held):
    held.give(held.case.other)
    result = held.published_later()
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert {row[:2] for row in held.published()} == {row[:2] for row in [*held.case.whole, *held.case.other]}
    assert result.accounting.previous == len(held.case.first) + 1


@pytest.mark.parametrize("mode", ["merge", "history"])
def test_rows_that_were_published_meanwhile_are_what_the_batch_is_held_against(held):
    held.give(held.case.same)
    result = held.published_later()
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert (held.published(), result.accounting.outcome) == (held.case.both, Outcome.HELD)


@pytest.mark.parametrize("mode", ["partition"])
def test_a_partition_that_was_published_meanwhile_is_not_overwritten(held):
    held.give(held.case.same)
    before = held.published()
    with pytest.raises(Conflict, match="run the dataset again") as caught:
        held.published_later()
    assert caught.value.key == "step.candidate_moved"
    assert (held.published(), held.branches()) == (before, [held.branch])


@pytest.mark.parametrize("mode", ["partition"])
def test_a_partition_that_is_published_at_the_last_moment_is_not_overwritten(held, monkeypatch):
    waiting, facts = [held.case.same], publishing.publication_facts

    def meanwhile(state, services):
        if waiting:
            assert held.give(waiting.pop()).ending is Ending.PUBLISHED
        return facts(state, services)

    monkeypatch.setattr(publishing, "publication_facts", meanwhile)
    with pytest.raises(Conflict) as caught:
        held.published_later()
    assert caught.value.key == "warehouse.partition_moved"
    assert ("jan", 1, 7) in held.published()
    assert held.branches() == [held.branch]


def test_a_preview_counts_what_publishing_it_changes_by_key(held):
    warehouse = held.services.warehouse
    (found,) = warehouse.candidates()
    with held.services.engine() as engine:
        suite = guarded_suite(held.step.guard, held.step.name)
        told = preview(
            engine, warehouse, suite, found.snapshot_id, None,
            key=held.step.guard.contract.key, data_now=held.services.project.data_now(),
        )  # fmt: skip
    change = told.difference
    assert ((change.added, change.removed, change.changed), told.moved) == (held.case.changes, False)
    assert (change.rows_before, change.rows_after) == (len(held.case.first), len(held.case.whole))


@pytest.mark.parametrize("mode", ["merge"])
def test_its_rows_outlive_a_sweep_and_go_with_it(held):
    before = held.on_disk
    assert held.services.warehouse.sweep(grace=timedelta(0)) == ()
    assert held.on_disk == before
    (found,) = held.services.warehouse.candidates()
    held.services.warehouse.discard(found)
    assert held.on_disk == {*held.files()}


@pytest.mark.parametrize("mode", ["merge"])
def test_rows_that_were_altered_are_not_published(held):
    (kept,) = held.services.warehouse.recalled("clean.rows")
    path = held.services.warehouse.path(kept.computed[0])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(IntegrityError):
        held.published_later()
    assert (len(held.published()), held.branches()) == (2, [held.branch])


@pytest.mark.parametrize("mode", ["merge"])
def test_a_run_of_the_same_goes_on_with_it(held):
    again = held.give(held.case.batch, run=held.branch.split("/")[2])
    assert (again.ending, again.branch, held.branches()) == (Ending.BLOCKED, held.branch, [held.branch])


@pytest.mark.parametrize("mode", ["merge"])
def test_columns_that_were_published_meanwhile_and_that_it_lacks_need_a_new_run(held):
    wider = Dataset(
        held.services.project.root, {**held.case.columns, "more": "BIGINT"}, update="merge", **held.case.declared
    )
    assert wider.give([(9, 9, "ix", 9)]).ending is Ending.PUBLISHED
    wider.close()
    with pytest.raises(Conflict) as caught:
        held.published_later()
    assert caught.value.key == "warehouse.columns_moved"
    assert held.branches() == [held.branch]


@pytest.mark.parametrize("stage", ["check", "publish"])
def test_a_run_that_is_stopped_behind_its_writing_is_gone_on_with(tmp_path, mode, monkeypatch, stage):
    case = CASES[mode]
    rows = Dataset(tmp_path, case.columns, update=mode, **case.declared)
    rows.give(case.first)
    # What reads no input is known by its run alone: this is another attempt of it.
    run = str(uuid.uuid4())
    with ended_at(stage, KeyboardInterrupt):
        rows.give(case.batch, run=run)
    (left,) = rows.services.warehouse.candidates()
    assert left.lease == "expired"
    began, real = [], rows.services.warehouse.begin
    monkeypatch.setattr(rows.services.warehouse, "begin", lambda *a, **k: began.append(a) or real(*a, **k))
    result = rows.give(case.batch, run=run)
    assert (result.ending, began) == (Ending.PUBLISHED, []), result.blocks
    assert (rows.published(), rows.branches()) == (case.whole, [])
    assert rows.services.warehouse.sweep(grace=timedelta(0)) == ()
    rows.close()


def test_rows_that_come_from_an_input_are_accounted_for_against_it(tmp_path):
    shop = Shop(tmp_path)
    shop.collect()
    step = replace(shop.step, update="merge", newest_by=("amount",))
    branch = shop.run(step).branch
    result = shop.later(branch, replace(step, guard=guard()))
    assert result.ending is Ending.PUBLISHED
    a = result.accounting
    assert (a.outcome, a.driving, a.out, a.computed) == (Outcome.HELD, 3, 3, 3)
    assert result.lineage.fields
    assert shop.run(replace(step, guard=guard())).ending is Ending.UNCHANGED
    shop.services.close()


def test_it_is_published_on_postgresql(tmp_path, postgresql_url):
    (tmp_path / "pyproject.toml").write_text(f'[tool.ecluse.profiles.demo]\ndatabase = "{postgresql_url}"\n')
    held = Held(tmp_path, "merge")
    assert held.services.database.engine.dialect.name == "postgresql"
    held.give(held.case.same)
    result = held.published_later()
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert (held.published(), held.branches()) == (held.case.both, [])
    assert held.services.warehouse.sweep(grace=timedelta(0)) == ()
    held.close()
