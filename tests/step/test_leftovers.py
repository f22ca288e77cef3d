"""What killed processes and dry runs leave behind is found once it is old, and nothing that is needed."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta

import pytest

from ecluse.model.names import quarantine_name
from ecluse.step.leftovers import clear, leftovers
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest
from tests.step.chain import CLEAN, RAW, Chain, suite_of

NOW, DAY = timedelta(0), timedelta(days=1)


@pytest.fixture
def chain(tmp_path):
    found = Chain(tmp_path)
    yield found
    found.close()


def old(path, content=b"left behind"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, 0))
    os.utime(path.parent, (0, 0))
    return path


def age(chain):
    for path in chain.services.project.state.rglob("*"):
        os.utime(path, (0, 0))


def dry(chain, dataset):
    return run_step(chain.steps[dataset], StepRequest(str(uuid.uuid4()), dry_run=True), chain.services)


def found(chain, grace=DAY):
    return [(one.kind, one.name) for one in leftovers(chain.services, grace)]


def test_half_copied_bytes_and_spilled_rows_go_when_they_are_old(chain):
    project = chain.services.project
    copied = old(project.raw / ".incoming-1")
    spilled = old(project.state / "tmp" / "0a" / "rows.tmp")
    (project.state / "tmp" / "0b").mkdir()
    names = [f"{project.raw.name}/.incoming-1", "tmp/0a"]
    left = leftovers(chain.services, DAY)
    assert ([one.name for one in left], sum(one.bytes for one in left)) == (names, 2 * len(b"left behind"))
    clear(chain.services, left)
    assert (copied.exists(), spilled.parent.exists(), (project.state / "tmp" / "0b").exists()) == (False, False, True)
    assert found(chain) == []


def test_what_a_process_holds_open_stays_however_old_it_is(chain):
    spilled = old(chain.services.project.state / "tmp" / "0a" / "rows.tmp")
    with spilled.open("rb"):
        assert found(chain) == []
    assert found(chain) == [("temporary", "tmp/0a")]


def test_raw_bytes_of_a_dry_run_go_and_those_that_something_names_stay(chain):
    chain.make(RAW, "1,5,a\n")
    (chain.folder / "orders.csv").write_text("id,amount,mail\n2,5,b\n")
    assert dry(chain, RAW).ending is Ending.DRY_RUN
    (chain.folder / "orders.csv").write_text("id,amount,mail\n3,5,c\n3,5,c\n")
    blocked = run_step(chain.steps[RAW], StepRequest(str(uuid.uuid4())), chain.services)
    assert blocked.ending is Ending.BLOCKED
    kept = {path.name for path in chain.services.project.raw.iterdir()}
    age(chain)
    assert (len(kept), found(chain)) == (3, [])
    for branch in chain.services.warehouse.candidates():
        chain.services.warehouse.discard(branch)
    left = leftovers(chain.services, DAY)
    assert [one.kind for one in left] == ["raw"]
    clear(chain.services, left)
    assert len({path.name for path in chain.services.project.raw.iterdir()}) == 2
    assert chain.make(RAW, "1,5,a\n")


def test_a_table_that_only_a_dry_run_began_goes_and_an_empty_quarantine_stays(chain):
    chain.make(RAW, "1,5,a\n2,-1,b\n")
    assert dry(chain, CLEAN).ending is Ending.DRY_RUN
    assert [kind for kind, _ in found(chain, NOW) if kind == "table"] == ["table"] * 2
    clear(chain.services, leftovers(chain.services, NOW))
    assert chain.services.warehouse.datasets() == [RAW]
    chain.make(CLEAN)
    assert chain.quarantined(CLEAN) == [2]
    assert not any(kind == "table" for kind, _ in found(chain, NOW))
    assert chain.services.warehouse.exists(quarantine_name(CLEAN))


def test_a_table_whose_first_run_was_blocked_stays(chain):
    chain.make(RAW, "1,5,a\n")
    chain.suite = suite_of(10_000)
    run_step(chain.steps[CLEAN], StepRequest(str(uuid.uuid4())), chain.services)
    assert not any(kind == "table" and name == CLEAN for kind, name in found(chain, NOW))
