"""Two steps at once on one dataset: what the other published meanwhile is neither lost nor doubled."""

from __future__ import annotations

import threading

import great_expectations.expectations as gxe
import pytest

from ecluse.errors import Conflict
from ecluse.step import publish as publishing
from ecluse.step.state import Ending
from tests.step.updates import Dataset

PEOPLE = {"id": "BIGINT", "at": "BIGINT", "name": "VARCHAR"}
SALES = {"month": "VARCHAR", "id": "BIGINT", "amount": "BIGINT"}
HOMES = {"id": "BIGINT", "city": "VARCHAR", "valid_from": "BIGINT", "valid_to": "BIGINT", "is_current": "BOOLEAN"}


def meanwhile(monkeypatch, other):
    """Let something else happen between the moment when a step is ready to publish and its publication."""
    waiting = [other]
    prepare = publishing.publication_facts

    def prepared(state, services):
        if waiting:
            waiting.pop()()
        return prepare(state, services)

    monkeypatch.setattr(publishing, "publication_facts", prepared)


@pytest.fixture
def pair(tmp_path):
    made = []

    def make(columns, **declared):
        made.extend(Dataset(tmp_path, columns, **declared) for _ in range(2))
        return made

    yield make
    for dataset in made:
        dataset.close()


def test_a_merge_that_lost_the_race_is_held_against_what_the_winner_published(pair, monkeypatch):
    one, other = pair(PEOPLE, key=("id",), update="merge", newest_by=("at",))
    one.give([(1, 1, "ada"), (2, 1, "bo")])
    meanwhile(monkeypatch, lambda: other.give([(2, 5, "bob"), (3, 1, "cy"), (4, 2, "di")]))
    result = one.give([(1, 2, "ann"), (2, 4, "late by now"), (3, 2, "cyd"), (5, 1, "el")])
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert one.published() == [(1, 2, "ann"), (2, 5, "bob"), (3, 2, "cyd"), (4, 2, "di"), (5, 1, "el")]
    a = result.accounting
    assert (a.previous, a.replaced, a.added, a.current, a.late) == (4, 2, 3, 5, 1)


def test_a_history_that_lost_the_race_is_held_against_what_the_winner_published(pair, monkeypatch):
    one, other = pair(HOMES, key=("id", "valid_from"), update="history")
    one.give([(1, "Lyon", 1)])
    meanwhile(monkeypatch, lambda: other.give([(1, "Nice", 3), (2, "Pau", 1)]))
    assert one.give([(1, "Paris", 5)]).ending is Ending.PUBLISHED
    assert one.published() == [
        (1, "Lyon", 1, 3, False),
        (1, "Nice", 3, 5, False),
        (1, "Paris", 5, None, True),
        (2, "Pau", 1, None, True),
    ]


def test_other_partitions_that_were_published_meanwhile_stay_and_nothing_is_written_again(pair, monkeypatch):
    one, other = pair(SALES, key=("id",), update="partition", partition_by="month")
    one.give([("2024-01", 1, 1)])
    meanwhile(monkeypatch, lambda: other.give([("2024-02", 2, 2)]))
    resolved = []
    resolve = publishing.resolve
    monkeypatch.setattr(publishing, "resolve", lambda *given: resolved.append(1) or resolve(*given))
    assert one.give([("2024-01", 1, 9), ("2024-03", 3, 3)]).ending is Ending.PUBLISHED
    assert one.published() == [("2024-01", 1, 9), ("2024-02", 2, 2), ("2024-03", 3, 3)]
    assert resolved == []


def test_the_same_partition_published_meanwhile_is_replaced_by_the_later_one(pair, monkeypatch):
    one, other = pair(SALES, key=("id",), update="partition", partition_by="month")
    one.give([("2024-01", 1, 1)])
    meanwhile(monkeypatch, lambda: other.give([("2024-01", 1, 2), ("2024-02", 2, 2)]))
    result = one.give([("2024-01", 1, 9)])
    assert result.ending is Ending.PUBLISHED, result.blocks
    assert one.published() == [("2024-01", 1, 9), ("2024-02", 2, 2)]
    assert (result.accounting.previous, result.accounting.current) == (2, 2)


def test_a_promise_about_the_table_is_asked_again_after_a_lost_race(pair, monkeypatch):
    few = gxe.ExpectTableRowCountToBeBetween(max_value=3, severity="critical", meta={"ecluse": {"scope": "table"}})
    one, other = pair(PEOPLE, key=("id",), update="merge", newest_by=("at",), expectations=[few])
    one.give([(1, 1, "ada")])
    meanwhile(monkeypatch, lambda: other.give([(2, 1, "bo"), (3, 1, "cy")]))
    assert one.give([(4, 1, "di")]).ending is Ending.BLOCKED
    assert one.published() == [(1, 1, "ada"), (2, 1, "bo"), (3, 1, "cy")]


def test_merges_of_different_keys_at_once_lose_nothing(tmp_path):
    """Threads with engines and database connections of their own, each merging keys of its own again and again."""
    writers, rounds = 2, 3
    people = [Dataset(tmp_path, PEOPLE, key=("id",), update="merge", newest_by=("at",)) for _ in range(writers)]
    people[0].give([(0, 0, "first")])
    errors = []

    def work(number):
        for time in range(1, rounds + 1):
            for _ in range(20):
                try:
                    people[number].give([(number * 10 + key, time, f"{number}") for key in (1, 2)])
                    break
                except Conflict:
                    continue
                except Exception as error:  # noqa: BLE001 - a thread can't raise
                    errors.append(error)
                    return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    wanted = [(n * 10 + key, rounds, f"{n}") for n in range(writers) for key in (1, 2)]
    assert people[0].published() == [(0, 0, "first"), *wanted]
    for dataset in people:
        dataset.close()
