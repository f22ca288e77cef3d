"""A database of an older version: refused as it is, brought to today's wholly or not at all, never under a run."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, text

import ecluse.store
from ecluse.cli.app import call
from ecluse.errors import Conflict, StorageError
from ecluse.ledger import merkle, tree
from ecluse.store import Database, planned, upgrade
from ecluse.store.schema import VERSION, facts, meta, metadata

SCRIPTS = ScriptDirectory(str(Path(ecluse.store.__file__).with_name("migrations")))
LEAVES = [merkle.leaf_hash(str(n).encode()) for n in range(5)]
STEPS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]


def made_at(url: str, version: str) -> Database:
    """A database as the version made it, with five facts."""
    engine = create_engine(url)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for step in STEPS[: STEPS.index(version) + 1]:
            SCRIPTS.get_revision(step).module.upgrade()
        connection.execute(insert(meta).values(key="schema_version", value=version))
        rows = [{"position": n, "leaf": leaf.hex(), "kind": "run", "envelope": "{}"} for n, leaf in enumerate(LEAVES)]
        connection.execute(insert(facts), rows)
        if version == VERSION:
            tree.grow(connection, 0, LEAVES)
    engine.dispose()
    return Database(url)


def lease(database: Database, expires: datetime) -> None:
    with database.unchecked() as connection:
        connection.execute(
            text("INSERT INTO ecluse_leases (branch, dataset, holder, expires) VALUES ('b', 'd', 'run-7', :at)"),
            {"at": expires.isoformat(timespec="microseconds")},
        )


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ecluse.db'}"


def differences(database: Database) -> list[object]:
    with database.unchecked() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_the_last_step_leads_to_the_version_that_new_databases_get():
    assert STEPS[-1] == VERSION
    assert SCRIPTS.get_current_head() == VERSION


@pytest.mark.parametrize("version", STEPS)
def test_a_database_of_any_version_becomes_what_a_new_one_is(url, version):
    database = made_at(url, version)
    done = upgrade(database)
    assert (done.before, done.after) == (version, VERSION)
    assert len(done.steps) == len(STEPS) - STEPS.index(version) - 1
    assert differences(database) == []
    with closing(Database(url)) as now, now.reading() as connection:
        assert len(connection.execute(facts.select()).all()) == len(LEAVES)
        assert tree.roots(connection, [(0, 5), (0, 4), (2, 4)]) == [
            merkle.root(LEAVES),
            merkle.root(LEAVES[:4]),
            merkle.root(LEAVES[2:4]),
        ]
    assert planned(database).steps == ()


def test_an_older_database_is_refused_as_it_is_and_left_so(url):
    database = made_at(url, STEPS[0])
    with pytest.raises(StorageError) as caught:
        database.engine.connect()
    assert caught.value.key == "store.version"
    assert "ecluse db upgrade" in str(caught.value)
    with database.unchecked() as connection:
        assert "place" not in {c["name"] for c in inspect(connection).get_columns("ecluse_leases")}


def test_an_upgrade_waits_for_nobody_and_runs_under_nobody(url):
    database = made_at(url, STEPS[0])
    lease(database, datetime.now(UTC) + timedelta(minutes=5))
    with pytest.raises(Conflict) as caught:
        upgrade(database)
    assert caught.value.key == "store.at_work"
    assert "run-7" in str(caught.value)
    assert planned(database).before == STEPS[0]


def test_a_lease_that_ran_out_hinders_no_upgrade(url):
    database = made_at(url, STEPS[0])
    lease(database, datetime.now(UTC) - timedelta(minutes=5))
    assert upgrade(database).after == VERSION


def test_an_upgrade_that_fails_leaves_everything_as_it_was(url, monkeypatch):
    database = made_at(url, STEPS[0])
    last = SCRIPTS.get_revision(STEPS[-1])

    class Broken:
        revision, doc = last.revision, last.doc

        class module:
            @staticmethod
            def upgrade():
                last.module.upgrade()
                raise RuntimeError("the machine stopped")

    monkeypatch.setattr("ecluse.store.migrate._scripts", lambda *_: iter([Broken]))
    with pytest.raises(RuntimeError):
        upgrade(database)
    monkeypatch.undo()
    assert planned(database).before == STEPS[0]
    assert differences(database) != []
    assert upgrade(database).after == VERSION


def test_a_newer_database_is_left_alone(url):
    database = made_at(url, VERSION)
    with database.unchecked() as connection:
        connection.execute(meta.update().values(value="99"))
    for use in (planned, upgrade):
        with pytest.raises(StorageError) as caught:
            use(database)
        assert caught.value.key == "store.newer"


def test_where_nothing_ran_yet_there_is_nothing_to_upgrade_and_nothing_is_made(tmp_path, url):
    with pytest.raises(StorageError) as caught:
        planned(Database(url))
    assert caught.value.key == "store.no_database"
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_would_do_and_does_it(tmp_path, capsys):
    root = Path(__file__).parents[2]
    (tmp_path / "charter.yaml").write_bytes((root / "charter.yaml").read_bytes())
    folder = tmp_path / ".ecluse" / "demo"
    folder.mkdir(parents=True)
    made_at(f"sqlite:///{folder / 'ecluse.db'}", STEPS[0])
    at = ("--project", str(tmp_path))
    assert call([*at, "status"]) == 2
    assert "ecluse db upgrade" in capsys.readouterr().err
    assert call([*at, "db", "status"]) == 0
    assert "version 1" in capsys.readouterr().out
    assert call([*at, "db", "upgrade"]) == 0
    assert f"version {VERSION} now" in capsys.readouterr().out
    assert call([*at, "db", "upgrade"]) == 0
    assert call([*at, "--json", "db", "status"]) == 0
