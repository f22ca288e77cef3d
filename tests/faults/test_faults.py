"""Bad input gets a clear error with three parts, and what was published stays as it was."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import great_expectations.expectations as gxe
import pytest

import ecluse
from ecluse.errors import (
    BrokenData,
    Conflict,
    DefinitionError,
    EcluseError,
    IntegrityError,
    NotComputed,
    Refused,
    SourceError,
    StorageError,
)
from ecluse.model.outcome import Outcome
from ecluse.model.step import Files, In
from ecluse.step.releases import create_release
from ecluse.step.state import Ending

GOOD = "id,amount\n1,5.0\n2,7.5\n"


def refuses(shop, kind, act, *said):
    """The act raises an error of three parts that says these things, and no reader sees a difference."""
    before = shop.published()
    with pytest.raises(kind) as caught:
        act()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert "\nTry: " in message
    for part in said:
        assert part in message
    assert shop.published() == before
    return caught.value


def blocks(shop, step, *said):
    before = shop.published()
    found = shop.run(step)
    assert found.ending is Ending.BLOCKED
    reasons = "\n".join(b.text() for b in found.blocks)
    for part in said:
        assert part in reasons
    assert shop.published() == before
    return found


def test_a_missing_file(shop):
    shop.file.unlink()
    refuses(shop, SourceError, lambda: shop.run(shop.source), "orders.csv")


def test_a_file_that_changes_while_it_is_read(shop, monkeypatch):
    shop.file.write_text("id,amount\n3,1.0\n")
    begin = type(shop.services.warehouse).begin

    def meanwhile(*given, **more):
        shop.file.write_text("id,amount\n4,1.0\n")
        return begin(*given, **more)

    monkeypatch.setattr(type(shop.services.warehouse), "begin", meanwhile)
    refuses(shop, SourceError, lambda: shop.run(shop.source), "orders.csv")


def test_a_damaged_zip(shop):
    archive = shop.project.root / "orders.csv.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("orders.csv", GOOD * 500)
    raw = bytearray(archive.read_bytes())
    raw[60:70] = b"0123456789"
    archive.write_bytes(raw)
    step = replace(shop.source, compute=lambda: Files(archive))
    refuses(shop, SourceError, lambda: shop.run(step), "orders.csv.zip")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id;amount\n1;5.0\n", "delimiter=';'"),
        ("id\n1\n", "amount"),
        ("id,amount,amount\n1,2,3\n", "amount"),
        ("Orders of May\n\nid,amount\n1,5.0\n", "id"),
    ],
    ids=["another delimiter", "a column missing", "a column twice", "a preamble"],
)
def test_a_csv_that_breaks_its_contract(shop, text, said):
    shop.file.write_text(text)
    refuses(shop, SourceError, lambda: shop.run(shop.source), said, "Allowed:")


def test_lines_that_can_not_be_read_block(shop):
    shop.file.write_text("id,amount\n1,5.0\n2,much\n3,1.0,9\n")
    found = blocks(shop, shop.source, "2 lines of raw.orders could not be read")
    assert found.accounting.rejected == 2


def test_a_column_that_the_query_does_not_give(shop):
    refuses(shop, BrokenData, lambda: shop.run(shop.with_sql("SELECT id FROM raw")), "Missing: amount")


def test_a_column_of_another_type(shop):
    step = shop.with_sql("SELECT id, amount::VARCHAR AS amount FROM raw")
    refuses(shop, BrokenData, lambda: shop.run(step), "VARCHAR", "DOUBLE")


def test_an_empty_month(shop):
    shop.file.write_text("id,amount\n")
    refuses(shop, SourceError, lambda: shop.run(shop.source), "orders.csv")


def test_duplicate_keys(shop):
    shop.file.write_text(GOOD + "2,8.0\n")
    blocks(shop, shop.source, "unique")


def test_a_suite_that_names_a_missing_column(shop):
    guard = shop.suite(gxe.ExpectColumnValuesToNotBeNull(column="nowhere"))
    before = shop.published()
    found = shop.run(replace(shop.product, guard=guard), force=True)
    assert [c.outcome for c in found.checks if c.columns == ("nowhere",)] == [Outcome.NOT_COMPUTED]
    assert "nowhere" in found.blocks[0].text()
    assert "id" in found.blocks[0].text()
    assert shop.published() == before


def test_a_cycle_in_the_assets(shop):
    def one(other: ecluse.Table) -> str:
        return "SELECT id, amount FROM other"

    def made(name, upstream):
        return ecluse.asset(name, ins={"other": upstream}, guard=shop.suite(), grain="row")(one)

    with pytest.raises(DefinitionError) as caught:
        ecluse.definitions(assets=[made("a.one", "a.two"), made("a.two", "a.one")])
    assert "a.one → a.two → a.one" in str(caught.value)
    assert "Try:" in str(caught.value)


@pytest.mark.parametrize("purpose", ["marketing", "advertising"], ids=["unknown", "prohibited"])
def test_a_purpose_that_is_not_allowed(shop, released, purpose):
    refuses(shop, Refused, lambda: shop.load(purpose=purpose), purpose)


def test_an_altered_data_file(shop, released):
    (file,) = released.product("products.orders").files
    path = shop.services.warehouse.path(file)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        shop.load()
    assert file.path in str(caught.value)


def test_an_altered_log(shop, released):
    path = shop.project.state / "ecluse.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE ecluse_facts SET envelope = replace(envelope, 'payloadType', 'payloadtype') WHERE position = 1"
        )
    database.close()
    refuses(shop, IntegrityError, shop.load)


def test_a_truncated_log(shop, released):
    path = shop.project.state / "ecluse.db"
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM ecluse_subjects WHERE position = 2")
        database.execute("DELETE FROM ecluse_facts WHERE position = 2")
    database.close()
    refuses(shop, IntegrityError, shop.load)


def test_an_expired_approval(shop):
    manifest = create_release(shop.services, ["products.orders"], "1.0.0")
    shop.approve(manifest, days=-1)
    refuses(shop, Refused, shop.load, "data-valid")


def test_two_runs_at_once_on_the_same_partition(shop):
    shop.file.write_text("id,amount\n5,1.0\n")
    began, go_on = threading.Event(), threading.Event()
    endings = []

    def slow():
        began.set()
        assert go_on.wait(30)
        return Files(shop.file)

    def first():
        endings.append(shop.run(replace(shop.source, compute=slow)).ending)

    held = shop.services.warehouse.begin(
        "raw.orders",
        {"id": "BIGINT", "amount": "DOUBLE", "_origin": "VARCHAR"},
        partition=None,
        run_id="other",
        attempt=1,
    )
    error = refuses(shop, Conflict, lambda: shop.run(shop.source), "raw.orders")
    assert error.part("hint")
    shop.services.warehouse.discard(held)
    runner = threading.Thread(target=first)
    runner.start()
    assert began.wait(30)
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    go_on.set()
    runner.join(60)
    assert endings in ([Ending.PUBLISHED], [Ending.UNCHANGED])
    assert [row[0] for row in shop.published()["raw.orders"][1]] == [5]


def test_a_full_disk(shop):
    """A limit on the size of files is met in the middle of a write, as the end of a disk is."""
    shop.file.write_text("id,amount\n" + "".join(f"{i},{i * 0.37}\n" for i in range(60_000)))
    before, limit = shop.published(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limit[1]))
    try:
        with pytest.raises(StorageError) as caught:
            shop.run(shop.source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert "Allowed:" in str(caught.value)
    assert "Try:" in str(caught.value)
    assert shop.published() == before


def test_a_read_only_warehouse_is_said_clearly(shop):
    if os.geteuid() == 0:
        shutil.rmtree(shop.project.raw)
        shop.project.raw.write_text("in the way")
    else:
        shop.project.raw.chmod(0o500)
    shop.file.write_text("id,amount\n9,1.0\n")
    before = shop.published()
    with pytest.raises(EcluseError) as caught:
        shop.run(shop.source)
    assert isinstance(caught.value, (StorageError, SourceError))
    assert shop.published() == before


def test_an_input_that_was_never_published(shop):
    step = replace(shop.product, ins=(In("raw", "raw.nothing"),))
    refuses(shop, NotComputed, lambda: shop.run(step), "raw.nothing", "ecluse run raw.nothing")


def test_rows_above_the_limit_block(shop):
    step = shop.with_sql("SELECT id, amount * 1000 AS amount FROM raw")
    blocks(shop, step, "column_values_to_be_between__amount")


def test_a_source_whose_bytes_did_not_change_publishes_nothing_new(shop):
    before = shop.published()
    assert shop.run(shop.source).ending is Ending.UNCHANGED
    assert shop.published() == before


def test_a_rerun_may_be_forced(shop):
    assert shop.run(shop.source, force=True).ending is Ending.PUBLISHED
    assert [row[:2] for row in shop.published()["raw.orders"][1]] == [(1, 5.0), (2, 7.5)]


def test_a_dry_run_leaves_no_trace(shop):
    shop.file.write_text("id,amount\n9,1.0\n")
    before, size = shop.published(), shop.services.log.size
    assert shop.run(shop.source, dry_run=True).ending is Ending.DRY_RUN
    assert shop.published() == before
    assert shop.services.log.size == size
    assert shop.services.warehouse.candidates() == []


def test_the_door_opens_again_only_with_new_evidence(shop, released):
    from ecluse.step.recheck import check_published

    strict = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=6, severity="critical")
    report = check_published(shop.services, replace(shop.product, guard=shop.suite(strict)))
    assert report.outcome is Outcome.BROKEN
    refuses(shop, Refused, shop.load)
    assert check_published(shop.services, shop.product).outcome is Outcome.HELD
    assert shop.load().arrow().num_rows == 2


def test_an_edited_suite_is_asked_before_anything_is_called_unchanged(shop):
    strict = gxe.ExpectColumnValuesToBeBetween(column="amount", max_value=6, severity="critical")
    blocks(shop, replace(shop.source, guard=shop.suite(strict)), "amount")


def test_a_check_as_of_another_day_is_for_replays_alone(shop):
    from ecluse.step.recheck import check_published

    refuses(
        shop,
        DefinitionError,
        lambda: check_published(shop.services, shop.product, at=datetime(2014, 1, 1, tzinfo=UTC)),
        "profile demo",
    )
