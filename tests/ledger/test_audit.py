"""A long log is verified page by page, by one process or by several, which say the same."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import delete, select, update

from ecluse.errors import IntegrityError
from ecluse.ledger import Log, pages, sign, trust_of
from ecluse.store import Database
from ecluse.store.schema import facts


@pytest.fixture
def long(log, fact, service, monkeypatch):
    """A log of several pages, more than one process verifies."""
    monkeypatch.setattr(pages, "_SIZE", 2)
    with log.database.transaction() as connection:
        log.append(connection, [sign(fact(n=n), service) for n in range(14)])
    return log


def test_a_log_of_several_pages_has_the_state_of_its_tree(long, every_core):
    state = long.verify(every_core=every_core)
    assert (state.size, state.root) == (14, long.root())


@pytest.mark.parametrize("last", ["altered", "missing"])
def test_the_first_wrong_fact_is_named_whatever_its_page(long, last, every_core):
    with long.database.transaction() as connection:
        connection.execute(update(facts).where(facts.c.position == 9).values(leaf="0" * 64))
        if last == "altered":
            connection.execute(update(facts).where(facts.c.position == 12).values(leaf="0" * 64))
        else:
            connection.execute(delete(facts).where(facts.c.position == 12))
    with pytest.raises(IntegrityError) as caught:
        long.verify(every_core=every_core)
    assert caught.value.fields["position"] == 9


def test_what_only_the_order_tells_is_found_across_pages(long, fact, service, every_core):
    with long.database.transaction() as connection:
        said = connection.execute(select(facts).where(facts.c.position == 1)).one()
        long.append(connection, [sign(fact(n=14), service)])
        values = {"leaf": said.leaf, "envelope": said.envelope}
        connection.execute(update(facts).where(facts.c.position == 14).values(values))
    with pytest.raises(IntegrityError, match="states again") as caught:
        long.verify(every_core=every_core)
    assert caught.value.fields["position"] == 14


def test_it_tells_how_far_it_is_and_ends_where_that_raises(long, every_core):
    told = []
    long.verify(passed=told.append, every_core=every_core)
    # What the indexes hold beyond the last fact stands in a last page without one.
    assert told == [2, 4, 6, 8, 10, 12, 14, 14]

    class StoppedError(Exception):
        pass

    def stop(facts):
        if facts == 6:
            raise StoppedError

    with pytest.raises(StoppedError):
        long.verify(passed=stop, every_core=every_core)


_KILLED = """
import os, signal
from itertools import repeat
from ecluse.ledger.pages import Page, Rows
from ecluse.ledger.trust import Trust
from ecluse.ledger.verified import verified_by_every_core

told = verified_by_every_core(repeat(Page(Rows(0, []))), Trust({}))
next(told)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_command_that_is_killed_leaves_no_process_behind():
    # NOTE: each of them holds the command's output, which is read until the last has ended.
    done = subprocess.run([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_log_that_lies_where_another_lay_is_read_anew(filled, service, every_core):
    filled.verify(every_core=every_core)
    filled.database.close()
    path = filled.database.file
    other = Database(f"sqlite:///{path.with_name('other.db')}")
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(other.file)) as there:
        here.backup(there)
    with other.transaction() as connection:
        connection.execute(update(facts).where(facts.c.position == 2).values(leaf="0" * 64))
    other.close()
    other.file.replace(path)
    with closing(Database(filled.database.url)) as now, pytest.raises(IntegrityError) as caught:
        Log(now, filled.trust).verify(every_core=every_core)
    assert caught.value.fields["position"] == 2


def test_a_log_on_postgresql_says_the_same(postgresql_url, charter, fact, service, monkeypatch, every_core):
    monkeypatch.setattr(pages, "_SIZE", 2)
    log = Log(Database(postgresql_url), trust_of(charter))
    with log.database.transaction() as connection:
        log.append(connection, [sign(fact("run", f"set.{n}", n=n), service) for n in range(14)])
    state = log.verify(every_core=every_core)
    assert (state.size, state.root) == (14, log.root())
    with log.database.transaction() as connection:
        connection.execute(update(facts).where(facts.c.position == 9).values(leaf="0" * 64))
    with pytest.raises(IntegrityError) as caught:
        log.verify(every_core=every_core)
    assert caught.value.fields["position"] == 9
    log.database.close()
