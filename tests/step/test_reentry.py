"""Rows leave quarantine by a person's signed decision alone, and whatever leaves is counted on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.charterfile import load_charter
from ecluse.errors import DefinitionError
from ecluse.ledger import signer_for
from ecluse.model.contract import Column
from ecluse.model.leaving import leavings
from ecluse.model.names import quarantine_name
from ecluse.model.outcome import Outcome
from ecluse.model.step import Guard, Table
from ecluse.step.compact import compact
from ecluse.step.held import Chosen
from ecluse.step.leave import Asked
from ecluse.step.recheck import check_published
from ecluse.step.reentry import leave_quarantine
from ecluse.step.services import open_services
from ecluse.step.state import Ending
from tests.step.orders import NAME, PEOPLE, Shop, guard
from tests.step.updates import Dataset, between

HELD = quarantine_name(NAME)
CHECK = "column_values_to_be_between__amount"
TEXT = "id,amount\n1,5.0\n2,-3.0\n3,7.0\n4,-4.0\n"
GUARD = guard(between("amount", min_value=0), on_failure="quarantine", quarantine_at_most=0.5)


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path, TEXT)
    found.step = replace(found.step, guard=GUARD)
    found.collect()
    assert found.run().ending is Ending.PUBLISHED
    assert (found.ids(), found.ids(HELD)) == ([1, 3], [2, 4])
    yield found
    found.services.close()


def fix(shop, text, step=None, name="rows.csv"):
    file = shop.file.with_name(name)
    file.write_text(text)
    asked = Asked("fixed", shop.steward, "read again", file=file)
    return leave_quarantine(shop.services, step or shop.step, asked)


def leave(shop, move, step=None, **chosen):
    asked = Asked(move, shop.steward, "looked at", Chosen(**(chosen or {"all": True})))
    return leave_quarantine(shop.services, step or shop.step, asked)


def facts(shop, kind):
    return [f.fact.predicate for f in shop.services.log.facts(kind=kind) if f.fact.predicate.get("dataset") == NAME]


def check_of(report):
    return next(c for c in report.checks if c.name == CHECK)


def test_corrected_rows_come_back_and_those_that_still_break_a_promise_stay(shop):
    left = fix(shop, "id,amount\n2,3.0\n4,-1.0\n")
    assert (left.left, left.stayed, left.by_check, left.still) == (1, 1, {CHECK: 1}, {CHECK: 1})
    assert (shop.ids(), shop.ids(HELD)) == ([1, 2, 3], [4])
    with shop.services.engine() as engine:
        head = shop.services.warehouse.head(HELD)
        assert engine.rows(f"SELECT amount FROM {shop.services.warehouse.scan(HELD, head)}") == [(-4.0,)]
    said = facts(shop, "publication")[-1]
    counts = said["accounting"]
    assert (counts["computed"], counts["published"], counts["quarantined"]) == (2, 1, 1)
    assert (counts["previous"], counts["replaced"], counts["added"], counts["current"]) == (2, 0, 1, 3)
    assert said["left"] == {"move": "fixed", "rows": 1, "by_check": {CHECK: 1}, "previous": 2, "left": 1, "current": 1}
    assert (said["standing"], said["quarantine"]["by_partition"]) == ({"all": 3}, {"all": 1})
    assert [i["dataset"] for i in said["inputs"]] == ["raw.orders"]
    assert len(said["raw"]) == 1
    assert shop.branches() == []


def test_who_and_why_is_signed_by_the_person(shop):
    left = fix(shop, "id,amount\n2,3.0\n")
    (decision,) = leavings(shop.services.log.facts(), NAME)
    assert decision.position == left.position
    assert shop.services.trust.parties()[next(iter(decision.key_ids))] == "steward"
    said = decision.fact.predicate
    assert (said["verdict"], said["reason"], said["rows"]) == ("fixed", "read again", 1)


def test_a_rerun_brings_the_same_defect_back_unless_the_source_is_fixed(shop):
    fix(shop, "id,amount\n2,3.0\n")
    assert shop.run().ending is Ending.PUBLISHED
    assert (shop.ids(), shop.ids(HELD)) == ([1, 3], [2, 4])
    shop.file.write_text(TEXT.replace("2,-3.0", "2,3.0"))
    shop.collect()
    assert shop.run().ending is Ending.PUBLISHED
    assert (shop.ids(), shop.ids(HELD)) == ([1, 2, 3], [4])


def test_a_contract_that_quarantines_no_more_empties_the_quarantine_of_what_is_computed_anew(shop):
    shop.file.write_text(TEXT.replace("-", ""))
    shop.collect()
    assert shop.run(replace(shop.step, guard=guard(between("amount", min_value=0)))).ending is Ending.PUBLISHED
    assert (shop.ids(), shop.ids(HELD)) == ([1, 2, 3, 4], [])


def test_nothing_moves_where_no_corrected_row_holds(shop):
    before = len([*shop.services.log.facts()])
    left = fix(shop, "id,amount\n2,-1.0\n")
    assert (left.done, [b.key for b in left.blocks]) == (False, ["quarantine_all_stay"])
    assert (shop.ids(), shop.ids(HELD), shop.branches()) == ([1, 3], [2, 4], [])
    assert len([*shop.services.log.facts()]) == before


def test_a_corrected_row_that_repeats_a_published_key_is_blocked(shop):
    with shop.services.engine() as engine:
        head = shop.services.warehouse.head(HELD)
        ((origin,),) = engine.rows(f"SELECT _origin FROM {shop.services.warehouse.scan(HELD, head)} WHERE id = 2")
    left = fix(shop, f"_origin,id,amount\n{origin},1,3.0\n")
    assert not left.done
    assert any("unique" in block.text() for block in left.blocks)
    assert (shop.ids(), shop.ids(HELD), shop.branches()) == ([1, 3], [2, 4], [])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("id,amount\n9,3.0\n", "step.fix_rows"),
        ("id,amount\n2,3.0\n2,4.0\n", "step.fix_rows"),
        ("id,amount\n2,much\n", "step.fix_value"),
        ("id,amount\n2,•••\n", "step.fix_value"),
        ("amount\n3.0\n", "step.fix_named"),
        ("id\n2\n", "step.fix_nothing"),
        ("id,amount,colour\n2,3.0,red\n", "step.fix_columns"),
        ("id,amount,amount\n2,3.0,3.0\n", "step.fix_header"),
        ("", "step.fix_header"),
    ],
)
def test_a_file_that_can_not_be_meant_moves_nothing(shop, text, key):
    with pytest.raises(DefinitionError) as caught:
        fix(shop, text)
    assert caught.value.key == key
    assert (shop.ids(), shop.ids(HELD), shop.branches()) == ([1, 3], [2, 4], [])


def test_lines_of_json_with_other_keys_would_null_what_they_lack(shop):
    with pytest.raises(DefinitionError) as caught:
        fix(shop, '{"id": 2, "amount": 3.0}\n{"id": 4}\n', name="rows.ndjson")
    assert caught.value.key == "step.fix_header"
    assert fix(shop, '{"id": 2, "amount": 3.0}\n', name="rows.ndjson").left == 1


def test_released_rows_are_published_as_they_are_and_every_report_says_so(shop):
    left = leave(shop, "released", check=CHECK)
    assert (left.left, left.by_check) == (2, {CHECK: 2})
    assert (shop.ids(), shop.ids(HELD)) == ([1, 2, 3, 4], [])
    said = [e for e in facts(shop, "evidence") if e["on"] == "candidate"][-1]
    told = next(c for c in said["checks"] if c["name"] == CHECK)
    assert (told["outcome"], told["unexpected_count"], told["waived"]) == ("broken", 2, 2)
    report = check_published(shop.services, shop.step)
    found = check_of(report)
    assert (found.outcome, found.unexpected_count, found.waived) == (Outcome.BROKEN, 2, 2)
    assert report.outcome is Outcome.HELD


def test_a_waiver_is_for_the_rows_and_checks_that_were_decided_upon_alone(shop):
    leave(shop, "released")
    stricter = guard(
        between("amount", min_value=0), between("id", max_value=3), on_failure="quarantine", quarantine_at_most=0.5
    )
    report = check_published(shop.services, replace(shop.step, guard=stricter))
    assert report.outcome is Outcome.BROKEN
    assert [c.name for c in report.checks if c.blocks] == ["column_values_to_be_between__id"]
    wider = guard(between("amount", min_value=6), on_failure="quarantine", quarantine_at_most=0.5)
    found = check_of(check_published(shop.services, replace(shop.step, guard=wider)))
    assert (found.unexpected_count, found.waived, found.blocks) == (3, 2, True)


def test_a_promise_about_the_whole_table_is_not_waived(shop):
    about_all = between("amount", min_value=0, meta={"ecluse": {"scope": "table"}})
    step = replace(
        shop.step,
        guard=guard(between("amount", min_value=0), about_all, on_failure="quarantine", quarantine_at_most=0.5),
    )
    left = leave(shop, "released", step=step)
    assert (left.done, [b.key for b in left.blocks]) == (False, ["check_by_rows"])
    assert (shop.ids(), shop.ids(HELD)) == ([1, 3], [2, 4])


def test_the_next_run_holds_released_rows_back_again(shop):
    leave(shop, "released")
    result = shop.run()
    assert (result.ending, result.rows, result.quarantined) == (Ending.PUBLISHED, 2, 2)
    assert (shop.ids(), shop.ids(HELD)) == ([1, 3], [2, 4])


def test_released_rows_survive_compaction_with_their_waiver(shop):
    leave(shop, "released")
    assert compact(shop.services, shop.step).files_after == 1
    assert check_published(shop.services, shop.step).outcome is Outcome.HELD


def test_dropped_rows_are_gone_with_a_fact_that_says_how_many(shop):
    head = shop.services.warehouse.head(NAME)
    with shop.services.engine() as engine:
        from ecluse.step.held import HELD as TABLE
        from ecluse.step.held import read_held

        read_held(engine, shop.services.warehouse, NAME, GUARD.contract)
        ((row,),) = engine.rows(f"SELECT _row FROM {TABLE} WHERE id = 2")
    left = leave(shop, "dropped", rows=(row,))
    assert (left.left, shop.ids(HELD), shop.services.warehouse.head(NAME)) == (1, [4], head)
    (decision,) = leavings(shop.services.log.facts(), NAME)
    said = decision.fact.predicate["quarantine"]
    assert (said["previous"], said["left"], said["current"], said["by_partition"]) == (2, 1, 1, {"all": 1})
    with pytest.raises(DefinitionError) as caught:
        leave(shop, "dropped", rows=(row,))
    assert caught.value.key == "step.quarantine_none"


@pytest.mark.parametrize("chosen", [Chosen(), Chosen(check="nothing")])
def test_rows_that_nobody_chose_do_not_leave(shop, chosen):
    with pytest.raises(DefinitionError):
        leave_quarantine(shop.services, shop.step, Asked("dropped", shop.steward, "why", chosen))
    with pytest.raises(DefinitionError) as caught:
        leave_quarantine(shop.services, shop.step, Asked("dropped", shop.steward, " ", Chosen(all=True)))
    assert caught.value.key == "step.quarantine_reason"


@pytest.mark.parametrize(
    "declared", [{"update": "append"}, {"update": "merge", "newest_by": ("amount",)}], ids=["append", "merge"]
)
def test_corrected_rows_come_back_in_other_update_modes(tmp_path, declared):
    shop = Shop(tmp_path, TEXT)
    step = replace(shop.step, guard=GUARD, **declared)
    shop.collect()
    assert shop.run(step).ending is Ending.PUBLISHED
    left = fix(shop, "id,amount\n2,3.0\n4,-1.0\n", step)
    assert (left.left, left.stayed, shop.ids(), shop.ids(HELD)) == (1, 1, [1, 2, 3], [4])
    assert shop.run(step).ending is Ending.UNCHANGED
    shop.services.close()


def test_rows_come_back_under_a_column_that_was_widened_since(tmp_path):
    def orders(raw: Table) -> str:
        return "SELECT id::INTEGER AS id, amount FROM raw"

    shop = Shop(tmp_path, TEXT)
    wide = replace(shop.step, guard=GUARD, update="merge", newest_by=("amount",), compute=orders)
    columns = (Column("id", "INTEGER"), Column("amount", "DOUBLE"))
    narrow = replace(wide, guard=Guard(replace(GUARD.contract, columns=columns), GUARD.build_suite))
    shop.collect()
    assert shop.run(narrow).ending is Ending.PUBLISHED
    left = leave(shop, "released", wide)
    assert (left.left, shop.ids(), shop.ids(HELD)) == (2, [1, 2, 3, 4], []), left.blocks
    shop.services.close()


def test_corrected_rows_come_back_into_their_dynamic_partition(tmp_path):
    shop = Shop(tmp_path, TEXT)
    step = replace(shop.step, guard=GUARD, update="partition", partition_by="'p' || (id % 2)")
    shop.collect()
    assert shop.run(step).ending is Ending.PUBLISHED
    left = fix(shop, "id,amount\n2,3.0\n", step)
    assert (left.left, shop.ids(), shop.ids(HELD)) == (1, [1, 2, 3], [4])
    said = facts(shop, "publication")[-1]
    assert said["standing"] == {"p0": 1, "p1": 2}
    shop.services.close()


def test_a_corrected_version_takes_its_place_in_a_history_whose_rows_have_no_origin(tmp_path):
    columns = {
        "id": "BIGINT",
        "size": "BIGINT",
        "valid_from": "BIGINT",
        "valid_to": "BIGINT",
        "is_current": "BOOLEAN",
    }
    settings = {"on_failure": "quarantine", "quarantine_at_most": 0.9}
    (tmp_path / "charter.yaml").write_text(PEOPLE)
    sizes = Dataset(
        tmp_path,
        columns,
        key=("id", "valid_from"),
        update="history",
        expectations=[between("size", min_value=0)],
        contract=settings,
    )
    steward = signer_for(sizes.services.project, load_charter(sizes.services.project), "steward")
    sizes.close()
    sizes.services = open_services(sizes.services.project)
    assert sizes.give([(1, 5, 1), (1, -6, 2), (1, 7, 3), (2, 4, 1)]).quarantined == 1
    assert [row[:4] for row in sizes.published()] == [(1, 5, 1, 3), (1, 7, 3, None), (2, 4, 1, None)]
    with pytest.raises(DefinitionError) as caught:
        leave_quarantine(sizes.services, sizes.step, Asked("released", steward, "why", Chosen(all=True)))
    assert caught.value.key == "step.quarantine_origin"
    file = tmp_path / "rows.csv"
    file.write_text("id,valid_from,size\n1,2,6\n")
    left = leave_quarantine(sizes.services, sizes.step, Asked("fixed", steward, "read again", file=file))
    assert left.left == 1, [b.text() for b in left.blocks]
    assert [row[:4] for row in sizes.published()] == [(1, 5, 1, 2), (1, 6, 2, 3), (1, 7, 3, None), (2, 4, 1, None)]
    sizes.close()
