"""A candidate that a run left whole is gone on from: its rows aren't computed again, and nothing else is taken on trust."""

from __future__ import annotations

from dataclasses import replace

import great_expectations.expectations as gxe
import pytest

from ecluse.errors import Conflict, DefinitionError, IntegrityError, NotComputed, WarehouseError
from ecluse.model.contract import Column
from ecluse.model.names import quarantine_name
from ecluse.model.step import Guard, Table
from ecluse.step.state import Ending
from tests.step.orders import NAME, Shop, guard
from tests.step.stopping import ended_at
from tests.step.updates import between

QUARANTINES = guard(between("amount", min_value=0), on_failure="quarantine", quarantine_at_most=0.5)
WIDER = guard(between("amount", min_value=-10))


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path)
    yield found
    found.services.close()


@pytest.fixture
def blocked(shop):
    shop.collect()
    result = shop.run()
    assert result.ending is Ending.BLOCKED
    return result.branch


@pytest.fixture
def never_computed(monkeypatch):
    """From here on, whoever writes rows of a dataset anew fails."""
    from ecluse.warehouse import Warehouse

    real = Warehouse.write

    def write(self, engine, candidate, sql, update):
        assert candidate.dataset.endswith("__quarantine") or candidate.snapshot_id is not None, "computed again"
        return real(self, engine, candidate, sql, update)

    monkeypatch.setattr(Warehouse, "write", write)


def test_a_blocked_candidate_is_published_once_what_is_promised_allows_it(shop, blocked, never_computed):
    result = shop.later(blocked, replace(shop.step, guard=WIDER))
    assert result.ending is Ending.PUBLISHED
    assert (shop.ids(), shop.branches()) == ([1, 2, 3], [])
    assert (result.accounting.driving, result.accounting.out, result.accounting.computed) == (3, 3, 3)
    said = [f.fact.predicate for f in shop.services.log.facts(kind="publication")][-1]
    assert [i["dataset"] for i in said["inputs"]] == ["raw.orders"]
    evidence = [*shop.services.log.facts(kind="evidence", sha256=said["files"][0]["sha256"])][-1]
    assert said["suite_digest"] == evidence.fact.predicate["suite_digest"]
    assert result.lineage.fields


def test_a_run_of_the_same_finds_what_was_published_later(shop, blocked):
    wider = replace(shop.step, guard=WIDER)
    shop.later(blocked, wider)
    assert shop.run(wider).ending is Ending.UNCHANGED


def test_what_blocks_a_candidate_still_blocks_it_and_it_stays(shop, blocked, never_computed):
    result = shop.later(blocked)
    assert result.ending is Ending.BLOCKED
    assert [b.key for b in result.blocks] == ["check_by_rows"]
    assert (shop.ids(), shop.branches()) == ([], [blocked])
    assert shop.later(blocked, replace(shop.step, guard=WIDER)).ending is Ending.PUBLISHED


def test_rows_that_break_a_promise_leave_for_quarantine_later_too(shop, blocked, never_computed):
    result = shop.later(blocked, replace(shop.step, guard=QUARANTINES))
    assert (result.ending, result.rows, result.quarantined) == (Ending.PUBLISHED, 2, 1)
    assert (shop.ids(), shop.ids(quarantine_name(NAME))) == ([1, 3], [2])


def test_a_candidate_that_blocks_after_rows_left_holds_all_of_them_again(shop):
    shop.collect()
    strict = guard(
        between("amount", min_value=0),
        gxe.ExpectTableRowCountToEqual(value=3, severity="critical"),
        on_failure="quarantine",
        quarantine_at_most=0.5,
    )
    first = shop.run(replace(shop.step, guard=strict))
    assert (first.ending, [b.key for b in first.blocks]) == (Ending.BLOCKED, ["check"])
    result = shop.later(first.branch, replace(shop.step, guard=QUARANTINES))
    assert (result.ending, result.rows, result.quarantined) == (Ending.PUBLISHED, 2, 1)
    assert (shop.ids(), shop.ids(quarantine_name(NAME))) == ([1, 3], [2])


def test_code_that_changed_is_not_taken_for_what_computed_the_candidate(shop, blocked):
    def orders(raw: Table) -> str:
        return "SELECT id, amount + 1 AS amount FROM raw"

    with pytest.raises(DefinitionError) as caught:
        shop.later(blocked, replace(shop.step, compute=orders, guard=WIDER))
    assert caught.value.key == "step.candidate_code"
    assert shop.branches() == [blocked]


def test_a_contract_with_other_columns_needs_a_new_run(shop, blocked):
    contract = replace(WIDER.contract, columns=(Column("id", "BIGINT"), Column("amount", "FLOAT")))
    with pytest.raises(DefinitionError) as caught:
        shop.later(blocked, replace(shop.step, guard=Guard(contract, WIDER.build_suite)))
    assert caught.value.key == "step.candidate_columns"


def test_a_partition_that_was_published_meanwhile_is_not_overwritten(shop, blocked):
    wider = replace(shop.step, guard=WIDER)
    shop.file.write_text("id,amount\n9,9.0\n")
    shop.collect()
    assert shop.run(wider).ending is Ending.PUBLISHED
    with pytest.raises(Conflict) as caught:
        shop.later(blocked, wider)
    assert caught.value.key == "step.candidate_moved"
    assert (shop.ids(), shop.branches()) == ([9], [blocked])


def test_an_append_goes_on_top_of_what_was_appended_meanwhile(shop):
    shop.collect()
    step = replace(shop.step, update="append")
    branch = shop.run(step).branch
    shop.file.write_text("id,amount\n9,9.0\n")
    shop.collect()
    assert shop.run(step).ending is Ending.PUBLISHED
    assert shop.later(branch, replace(step, guard=WIDER)).ending is Ending.PUBLISHED
    assert shop.ids() == [1, 2, 3, 9]


def test_a_key_that_was_published_meanwhile_blocks_it(shop):
    shop.collect()
    step = replace(shop.step, update="append")
    branch = shop.run(step).branch
    shop.file.write_text("id,amount\n1,9.0\n")
    shop.collect()
    assert shop.run(step).ending is Ending.PUBLISHED
    result = shop.later(branch, replace(step, guard=WIDER))
    assert result.ending is Ending.BLOCKED
    assert any("unique" in block.text() for block in result.blocks)
    assert (shop.ids(), shop.branches()) == ([1], [branch])


def test_a_file_that_was_altered_is_not_published(shop, blocked):
    (found,) = shop.services.warehouse.recalled(NAME)
    path = shop.services.warehouse.path(found.files[0])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(IntegrityError):
        shop.later(blocked, replace(shop.step, guard=WIDER))
    assert (shop.ids(), shop.branches()) == ([], [blocked])


def test_a_branch_of_which_nothing_was_written_down_needs_a_new_run(shop):
    warehouse = shop.services.warehouse
    made = warehouse.begin(NAME, {"id": "BIGINT", "amount": "DOUBLE"}, partition=None, run_id="other", attempt=1)
    warehouse.release(made)
    with pytest.raises(WarehouseError) as caught:
        shop.later(made.branch)
    assert caught.value.key == "warehouse.not_resumable"
    assert shop.branches() == [made.branch]


def test_an_input_that_is_forgotten_can_not_be_accounted_for(shop, blocked, monkeypatch):
    from ecluse.step import resume

    def gone(*_):
        raise WarehouseError("warehouse.no_snapshot", dataset="raw.orders", snapshot=1)

    monkeypatch.setattr(resume, "pin_input", gone)
    with pytest.raises(NotComputed) as caught:
        shop.later(blocked, replace(shop.step, guard=WIDER))
    assert caught.value.key == "step.candidate_input"


def test_a_source_is_published_later_from_the_bytes_that_are_kept(shop):
    strict = replace(shop.source, guard=guard(between("amount", min_value=0)))
    branch = shop.run(strict).branch
    shop.file.unlink()
    assert shop.later(branch, shop.source).ending is Ending.PUBLISHED
    assert shop.ids("raw.orders") == [1, 2, 3]
    said = next(iter(shop.services.log.facts(kind="publication"))).fact.predicate
    assert len(said["raw"]) == 1


@pytest.mark.parametrize("update", [{}, {"update": "merge", "newest_by": ("amount",)}], ids=["replace", "merge"])
@pytest.mark.parametrize("stage", ["check", "account", "decide"])
def test_a_run_that_is_stopped_behind_its_writing_is_gone_on_with(shop, monkeypatch, stage, update):
    shop.collect()
    good = replace(shop.step, guard=WIDER, **update)
    with ended_at(stage, KeyboardInterrupt):
        shop.run(good)
    (left,) = shop.services.warehouse.candidates()
    assert left.lease == "expired"
    written = []
    real = shop.services.warehouse.begin
    monkeypatch.setattr(shop.services.warehouse, "begin", lambda *a, **k: written.append(a) or real(*a, **k))
    assert (shop.run(good).ending, written) == (Ending.PUBLISHED, [])
    assert (shop.ids(), shop.branches()) == ([1, 2, 3], [])


def test_a_run_with_another_suite_computes_by_itself(shop, blocked):
    assert shop.run(replace(shop.step, guard=WIDER)).ending is Ending.PUBLISHED
    assert shop.branches() == [blocked]


def test_a_failure_leaves_nothing_to_go_on_with(shop):
    shop.collect()
    with ended_at("account", RuntimeError):
        shop.run(replace(shop.step, guard=WIDER))
    assert shop.branches() == []
