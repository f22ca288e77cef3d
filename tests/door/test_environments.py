"""Releases of another environment: opened from here, judged by their own facts, and never written to."""

from __future__ import annotations

import os

import pytest

from ecluse.door import load, verify
from ecluse.errors import DefinitionError, IntegrityError, Refused
from ecluse.ledger import Log, new_key, trust_of
from ecluse.project import Project
from ecluse.store import Database
from tests.door.conftest import PRODUCT, make

PARTIES = ("pipeline", "ana", "model")
SETTINGS = """[tool.ecluse]
name = "clinic"
[tool.ecluse.profiles.prod]
environment = "prod"
[tool.ecluse.profiles.test]
environment = "test"
database = "env:NOBODY_NEEDS_THIS"
[tool.ecluse.profiles.dev]
environment = "dev"
reads = ["test", "prod"]
[tool.ecluse.profiles.alone]
environment = "alone"
"""


@pytest.fixture
def prod(tmp_path, monkeypatch):
    """A released product in prod, and a profile dev that reads prod: there, only the reader has a key."""
    made = make(tmp_path / "clinic", "prod", readers=PARTIES)
    made.database.close()
    (made.root / "pyproject.toml").write_text(SETTINGS)
    made.project = Project.find(made.root, "prod")
    made.warehouse.__init__(made.project.warehouse, made.database)
    public = new_key(made.root / ".ecluse/dev/keys", "model").public
    charter = made.root / "charter.yaml"
    listed = (
        f'roles: [{{name: model-builder, since: 2020-01-01}}]\n    keys: [{{public: "{public}", since: 2020-01-01}}, {{'
    )
    charter.write_text(
        charter.read_text().replace("roles: [{name: model-builder, since: 2020-01-01}]\n    keys: [{", listed)
    )
    made.charter("personal: pseudonym", "personal: drop")
    made.manifest = made.release(made.publish())
    made.database.close()
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("ECLUSE_PROFILE", "dev")
    yield made
    made.database.close()


def snapshot(folder):
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def read_only(prod, ordinary_user, monkeypatch):
    """The same with prod's folder and database closed to writing."""
    folder = prod.root / ".ecluse/prod"
    closed = [path for path in (folder, *folder.rglob("*")) if "keys" not in path.parts]
    modes = {path: path.stat().st_mode for path in closed}
    for path in closed:
        path.chmod(modes[path] & 0o555)
    (folder / "keys").chmod(0)
    before = snapshot(folder)
    # NOTE: asked for root, the system answers by the rights that could be taken back.
    asked = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: folder not in (path, *path.parents) and asked(path, mode))
    with ordinary_user():
        yield prod
    (folder / "keys").chmod(0o700)
    assert snapshot(folder) == before
    for path, mode in modes.items():
        path.chmod(mode)


def reads(project):
    log = Log(Database(project.reads_url, read_only=True), trust_of(_charter(project)))
    try:
        return [signed.fact for signed in log.facts("read")]
    finally:
        log.database.close()


def _charter(project):
    from ecluse.charterfile import load_charter

    return load_charter(project)


def test_prods_release_opens_in_dev_with_no_right_to_write_there(read_only, tmp_path):
    lock = tmp_path / "data.lock"
    found = load(PRODUCT, purpose="care", environment="prod", lock=lock)
    assert (found.arrow().num_rows, found.reader.authenticated) == (3, True)
    (read,) = reads(Project.find(read_only.root, "dev"))
    assert (read.environment, read.predicate["reader"], read.predicate["opens"]) == ("prod", "model", True)
    assert read.subjects[0].sha256 == read_only.manifest.digest
    assert verify(lock).verdict.opens
    assert not (read_only.root / ".ecluse/dev/ecluse.db").exists()


def test_the_verdict_is_prods(prod):
    prod.decide(prod.manifest, verdict="withdrawn")
    with pytest.raises(Refused) as refused:
        load(PRODUCT, purpose="care", environment="prod")
    assert "withdrawn" in [reason.key for reason in refused.value.verdict.reasons]
    assert [read.predicate["opens"] for read in reads(Project.find(prod.root, "dev"))] == [False]


def test_a_lock_of_prod_is_asked_of_prod_wherever_that_can_be_read(prod, tmp_path, monkeypatch):
    lock = tmp_path / "data.lock"
    load(PRODUCT, purpose="care", environment="prod", lock=lock)
    monkeypatch.setenv("ECLUSE_PROFILE", "prod")
    assert verify(lock).verdict.opens
    monkeypatch.setenv("ECLUSE_PROFILE", "alone")
    with pytest.raises(IntegrityError):
        verify(lock)


def test_without_being_asked_dev_opens_its_own(prod):
    with pytest.raises(Refused) as refused:
        load(PRODUCT, purpose="care")
    assert "release_none" in [reason.key for reason in refused.value.verdict.reasons]


@pytest.mark.parametrize(("profile", "environment"), [("dev", "elsewhere"), ("alone", "prod")])
def test_only_what_the_profile_reads_is_read(prod, monkeypatch, profile, environment):
    monkeypatch.setenv("ECLUSE_PROFILE", profile)
    with pytest.raises(DefinitionError) as caught:
        load(PRODUCT, purpose="care", environment=environment)
    assert caught.value.key == "project.environment"
    assert profile in str(caught.value)


def test_the_own_environment_needs_no_setting(prod, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROFILE", "prod")
    monkeypatch.setenv("ECLUSE_READER", "model")
    assert load(PRODUCT, purpose="care", environment="prod").arrow().num_rows == 3


def test_keys_made_on_first_use_open_nothing_elsewhere(prod, monkeypatch):
    settings = prod.root / "pyproject.toml"
    settings.write_text(settings.read_text() + '[tool.ecluse.profiles.demo]\nreads = "prod"\n')
    monkeypatch.setenv("ECLUSE_PROFILE", "demo")
    with pytest.raises(Refused) as refused:
        load(PRODUCT, purpose="care", environment="prod")
    assert [reason.key for reason in refused.value.verdict.reasons] == ["reader_unknown"]
