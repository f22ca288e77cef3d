"""The shop with its tables in an object store: the whole cycle, and what goes wrong there."""

from __future__ import annotations

import gc
import traceback
from dataclasses import replace
from datetime import timedelta

import pytest

import ecluse
from ecluse.cli.doctor import findings
from ecluse.errors import IntegrityError, StorageError
from ecluse.ledger import signer_for
from ecluse.model.names import quarantine_name
from ecluse.project import Project
from ecluse.step.releases import create_release
from ecluse.step.retention import expire
from ecluse.step.rollback import rollback_release
from ecluse.step.services import open_services
from ecluse.step.state import Ending
from ecluse.warehouse import Warehouse

KEY, SECRET = "AKIAECLUSETESTS00000", "a-secret-that-no-message-may-hold"


@pytest.fixture
def lake(tmp_path, s3) -> str:
    bucket = s3.bucket()
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.ecluse.profiles.demo]\nwarehouse = "s3://{bucket}/lake"\n\n[tool.ecluse.profiles.demo.s3]\nendpoint = "{s3.url}"\n'
    )
    return bucket


@pytest.fixture
def bare(lake, bare):
    return bare


def amounts(found):
    return sorted(found.arrow()["amount"].to_pylist())


def test_the_whole_cycle(shop, lake, s3):
    first = create_release(shop.services, ["products.orders"], "1.0.0")
    shop.approve(first)
    lock = shop.project.root / "data.lock"
    assert amounts(shop.load(lock=lock)) == [5.0, 7.5]
    assert ecluse.verify(lock, project=shop.project.root).files == 1
    assert not list(shop.project.state.rglob("warehouse"))
    before = shop.published()
    shop.file.write_text("id,amount\n1,5.0\n2,-1.0\n3,8.0\n")
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    blocked = shop.run(shop.product)
    assert blocked.ending is Ending.BLOCKED
    assert shop.published()["products.orders"] == before["products.orders"]
    strict = replace(shop.product.guard.contract, on_failure="quarantine", quarantine_at_most=0.5)
    quarantining = replace(shop.product, guard=replace(shop.product.guard, contract=strict))
    assert shop.run(quarantining).ending is Ending.PUBLISHED
    assert [row[0] for row in shop.published()[quarantine_name("products.orders")][1]] == [2]
    second = create_release(shop.services, ["products.orders"], "2.0.0")
    shop.approve(second)
    assert amounts(shop.load()) == [5.0, 8.0]
    rollback_release(shop.services, signer_for(shop.project, shop.services.charter, "steward"), first, "look again")
    assert shop.published()["products.orders"] == before["products.orders"]
    expire(shop.services, timedelta(0))
    (candidate,) = shop.services.warehouse.candidates()
    shop.services.warehouse.discard(candidate)
    shop.services.warehouse.sweep(grace=timedelta(0))
    assert shop.services.warehouse.sweep(grace=timedelta(0)) == ()
    assert amounts(shop.load(version="1.0.0")) == [5.0, 7.5]
    assert amounts(shop.load(version="2.0.0")) == [5.0, 8.0]
    assert without_credentials(*(p.read_bytes() for p in shop.project.root.rglob("*") if p.is_file()))
    assert without_credentials(*(s3.read(name) for name in s3.names_in(lake)))


def without_credentials(*contents: bytes) -> bool:
    return not any(word.encode() in content for word in (KEY, SECRET) for content in contents)


def refused(act, key, kind=StorageError):
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.key == key
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value)
    assert without_credentials(shown.encode())


def test_a_server_that_is_gone_is_said_and_what_is_published_stays(shop, s3):
    before = shop.published()
    shop.file.write_text("id,amount\n9,1.0\n")
    s3.stop()
    refused(lambda: shop.run(shop.source), "warehouse.store_silent")
    refused(
        lambda: Warehouse(shop.project.warehouse, shop.services.database).head("raw.orders"), "warehouse.store_silent"
    )
    s3.start()
    assert shop.published() == before
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    assert shop.run(shop.product).ending is Ending.PUBLISHED
    assert len(shop.published()["products.orders"][1]) == 1


def test_credentials_that_are_not_known_are_said_without_being_shown(shop, s3):
    before = shop.published()
    shop.file.write_text("id,amount\n9,1.0\n")
    s3.deny()
    refused(lambda: shop.run(shop.source), "warehouse.store_denied")
    found = {f.name: f for f in findings(shop.project)}
    assert (found["warehouse"].state, without_credentials(str(found).encode())) == ("good", True)
    s3.deny(after=10**9)
    assert {f.name: f.state for f in findings(shop.project)}["warehouse"] == "note"
    assert shop.published() == before


def test_a_bucket_that_is_not_there(tmp_path, bare):
    settings = tmp_path / "pyproject.toml"
    settings.write_text(settings.read_text().replace("s3://bucket-", "s3://no-bucket-"))
    services = open_services(Project.find(tmp_path, "demo"))
    refused(lambda: replace(bare, services=services).run(bare.source), "warehouse.no_bucket")
    services.close()


def data_object(s3, lake):
    return next(name for name in s3.names_in(lake) if "/products/" in name and name.endswith(".parquet"))


def test_an_object_that_is_not_what_was_published(shop, released, lake, s3):
    lock = shop.project.root / "data.lock"
    shop.load(lock=lock)
    name = data_object(s3, lake)
    content = s3.read(name)
    altered = content[:200] + bytes([content[200] ^ 1]) + content[201:]
    for damaged, at_the_door, elsewhere in (
        (altered, "door.file_altered", "warehouse.other_content"),
        (content[:100], "door.file_altered", "warehouse.altered_file"),
        (None, "door.file_missing", "warehouse.missing_file"),
    ):
        s3.files.delete_file(name) if damaged is None else s3.write(name, damaged)
        refused(shop.load, at_the_door, IntegrityError)
        refused(lambda: ecluse.verify(lock, project=shop.project.root), at_the_door, IntegrityError)
        fresh = Warehouse(shop.project.warehouse, shop.services.database)
        refused(lambda w=fresh: w.scan("products.orders", w.head("products.orders")), elsewhere, IntegrityError)
        # NOTE: what a process read before is a copy of what was published.
        assert len(shop.published()["products.orders"][1]) == 2
    s3.write(name, content)
    assert ecluse.verify(lock, project=shop.project.root).files == 1


def test_what_was_loaded_can_be_read_after_the_store_deleted_it(shop, released, lake, s3):
    loaded = shop.load()
    s3.files.delete_file(data_object(s3, lake))
    stream = loaded.batches()
    del loaded
    gc.collect()
    assert sum(batch.num_rows for batch in stream) == 2
