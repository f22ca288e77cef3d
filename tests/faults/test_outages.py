"""What is gone, moved, damaged or wrong in the middle of a step gets a clear error, and what was published stays."""

from __future__ import annotations

import resource
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ecluse import project as project_module
from ecluse.errors import Conflict, EcluseError, IntegrityError, SourceError, StorageError
from ecluse.ledger import log
from ecluse.project import Project
from ecluse.step import run
from ecluse.step.services import open_services
from ecluse.step.state import Ending
from ecluse.warehouse import leases

PLACES = ("pin", "write_candidate", "check", "publish")


def before_stage(monkeypatch, name, act):
    """Do something once, just before a stage begins."""
    done = []

    def wrapped(stage):
        def first(state, services):
            if not done:
                done.append(1)
                act()
            return stage(state, services)

        return first if stage.__name__ == name else stage

    monkeypatch.setattr(run, "STAGES", tuple(wrapped(stage) for stage in run.STAGES))


def says(shop, kind, act):
    with pytest.raises(EcluseError) as caught:
        act()
    assert isinstance(caught.value, kind), repr(caught.value)
    assert "\nTry: " in str(caught.value)
    return caught.value


def changed(shop):
    shop.file.write_text("id,amount\n3,1.0\n4,2.0\n5,3.0\n")


# ---- the disk


def test_a_disk_that_is_full_when_the_database_commits(shop, monkeypatch):
    """A limit on the size of files is met in the middle of a write, as the end of a disk is."""
    changed(shop)
    before, limit = shop.published(), resource.getrlimit(resource.RLIMIT_FSIZE)
    wal = shop.project.state / "ecluse.db-wal"

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, limit[1]))

    before_stage(monkeypatch, "publish", fill)
    try:
        says(shop, StorageError, lambda: shop.run(shop.source))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    monkeypatch.undo()
    assert shop.published() == before
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    shop.services.log.verify()


@pytest.mark.parametrize("where", ["warehouse", "raw", ""], ids=["the warehouse", "the raw files", "everything"])
def test_a_folder_that_can_only_be_read(shop, ordinary_user, where):
    changed(shop)
    before, folder = shop.published(), shop.project.state / where
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    try:
        with ordinary_user():
            says(shop, StorageError, lambda: shop.run(shop.source))
            assert shop.published() == before
    finally:
        for path in folders:
            path.chmod(0o755)
    assert shop.run(shop.source).ending is Ending.PUBLISHED


# ---- the catalog


@pytest.mark.parametrize("stage", PLACES)
def test_a_sqlite_file_that_is_moved_away_in_the_middle_of_a_step(shop, monkeypatch, stage):
    changed(shop)
    before, file = shop.published(), shop.project.state / "ecluse.db"
    away = file.with_name("away.db")
    before_stage(monkeypatch, stage, lambda: file.rename(away))
    says(shop, StorageError, lambda: shop.run(shop.source))
    assert not file.exists()
    away.rename(file)
    monkeypatch.undo()
    assert shop.published() == before
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    shop.services.log.verify()


def test_a_database_server_that_is_gone_for_a_while(server, shop_on, monkeypatch):
    shop = shop_on(server.database())
    for stage in PLACES:
        shop.file.write_text(f"id,amount\n{len(stage)},1.0\n")
        before = shop.published()
        before_stage(monkeypatch, stage, server.stop)
        says(shop, StorageError, lambda: shop.run(shop.source))
        server.start()
        monkeypatch.undo()
        assert shop.published() == before
        assert shop.run(shop.source).ending is Ending.PUBLISHED
        shop.services.log.verify()


@pytest.fixture
def server():
    from benchmarks import postgresql

    if not postgresql.installed():
        pytest.skip(postgresql.MISSING)
    with postgresql.server() as server:
        yield server


@pytest.fixture
def shop_on(bare):
    """The shop on another database."""
    opened = []

    def on(url):
        profile = f'[tool.ecluse.profiles.demo]\nenvironment = "demo"\ndatabase = "{url}"\n'
        (bare.project.root / "pyproject.toml").write_text(profile)
        project = Project.find(bare.project.root, "demo")
        opened.append(open_services(project))
        shop = replace(bare, project=project, services=opened[-1])
        assert shop.run(shop.source).ending is Ending.PUBLISHED
        return shop

    yield on
    for services in opened:
        services.close()


# ---- the data files


def truncated(path):
    path.write_bytes(path.read_bytes()[:-20])


def altered(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncated, altered])
def test_a_damaged_data_file_is_not_read_by_the_next_step(shop, damage):
    before = shop.published()
    (file,) = shop.services.warehouse.files("raw.orders", before["raw.orders"][0])
    path = shop.services.warehouse.path(file)
    good = path.read_bytes()
    path.chmod(0o644)
    damage(path)
    error = says(shop, IntegrityError, lambda: shop.run(shop.product, force=True))
    assert path.name in str(error)
    path.write_bytes(good)
    assert shop.published() == before


# ---- the clock


def shift(monkeypatch, hours):
    """Let the clock be wrong by so many hours from now on, for leases, facts and the log."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    for module in (leases, project_module, log):
        monkeypatch.setattr(module, "datetime", Shifted)


@pytest.mark.parametrize("hours", [-5, 5])
@pytest.mark.parametrize("stage", ["check", "publish"])
def test_a_clock_that_jumps_in_the_middle_of_a_step(shop, monkeypatch, hours, stage):
    changed(shop)
    with monkeypatch.context() as context:
        before_stage(context, stage, lambda: shift(context, hours))
        assert shop.run(shop.source).ending is Ending.PUBLISHED
        shop.file.write_text("id,amount\n9,1.0\n")
        assert shop.run(shop.source).ending is Ending.PUBLISHED
    assert shop.run(shop.product).ending is Ending.PUBLISHED
    assert [row[0] for row in shop.published()["raw.orders"][1]] == [9]
    shop.services.log.verify()
    assert shop.services.warehouse.candidates() == []


@pytest.mark.parametrize("same", [True, False], ids=["the same content", "other content"])
def test_a_clock_that_jumps_lets_nobody_publish_over_another_run(shop, monkeypatch, same):
    """Ahead by hours, every lease of before seems to be over: the second run may begin, but only one can publish."""
    changed(shop)

    def meanwhile():
        shift(monkeypatch, 5)
        if not same:
            shop.file.write_text("id,amount\n8,1.0\n")
        assert shop.run(shop.source).ending is Ending.PUBLISHED
        changed(shop)

    before_stage(monkeypatch, "check", meanwhile)
    if same:
        assert shop.run(shop.source).ending is Ending.UNCHANGED
    else:
        says(shop, (Conflict, SourceError), lambda: shop.run(shop.source))
    assert [row[0] for row in shop.published()["raw.orders"][1]] == ([3, 4, 5] if same else [8])
    shop.services.log.verify()
    assert shop.services.warehouse.candidates() == []
