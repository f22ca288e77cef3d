"""What expiry forgets is needed by nobody: no release, no hold, no candidate, and nothing that is published."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.errors import Conflict, WarehouseError
from ecluse.model.contract import Keep
from ecluse.model.names import quarantine_name
from ecluse.step import retention
from ecluse.step.holds import holds, lift_hold, place_hold
from ecluse.step.releases import create_release
from ecluse.step.retention import expire, needed_snapshots
from ecluse.step.rollback import rollback_release
from ecluse.step.run import run_step
from ecluse.step.state import Ending, StepRequest
from tests.step.chain import CLEAN, NAMES, PRODUCT, RAW, Chain, suite_of

NOW, DAY = timedelta(0), timedelta(days=1)
ROWS = ("1,5,a\n2,-1,b\n", "3,5,c\n", "4,5,d\n5,-7,e\n", "6,5,f\n")


@pytest.fixture
def chain(tmp_path):
    found = Chain(tmp_path)
    yield found
    found.close()


def test_what_the_product_was_made_from_stays_though_its_inputs_went_on_since(chain):
    first = chain.all(ROWS[0])
    chain.make(RAW, ROWS[1])
    chain.make(CLEAN)
    newest = {dataset: chain.services.warehouse.head(dataset) for dataset in NAMES}
    chain.make(RAW, ROWS[2])
    assert expire(chain.services, NOW).keys().isdisjoint(NAMES)
    assert chain.known(RAW) >= {first[RAW], newest[RAW]}
    manifest = create_release(chain.services, [PRODUCT], "1.0.0")
    assert {(i.dataset, i.snapshot_id) for i in manifest.inputs} == {(RAW, first[RAW]), (CLEAN, first[CLEAN])}


@pytest.mark.parametrize(
    ("older_than", "keep", "left"),
    [
        (NOW, None, 1),
        (None, None, 4),
        (None, Keep(versions=3), 3),
        (None, Keep(within="1 day"), 4),
        (NOW, Keep(versions=2), 2),
        (NOW, Keep(within="1 day"), 4),
        (DAY, Keep(versions=1), 4),
    ],
    ids=str,
)
def test_versions_stay_as_long_as_the_age_and_the_contract_both_say(chain, older_than, keep, left):
    made = [chain.make(RAW, rows) for rows in ROWS]
    keeps = {} if keep is None else {RAW: keep}
    would = expire(chain.services, older_than, keeps=keeps, dry_run=True)
    assert chain.known(RAW) == set(made)
    assert expire(chain.services, older_than, keeps=keeps) == would
    assert chain.known(RAW) == set(made[-left:])
    assert chain.ids(RAW) == [6]


def test_a_version_that_was_gone_back_to_counts_as_the_newest(chain):
    made = [chain.make(RAW, ROWS[0])]
    create_release(chain.services, [RAW], "1.0.0")
    made += [chain.make(RAW, rows) for rows in ROWS[1:3]]
    ((_, manifest),) = retention.releases(chain.services)
    rollback_release(chain.services, chain.person("p-data"), manifest, "the new rows are wrong")
    assert expire(chain.services, None, keeps={RAW: Keep(versions=2)}) == {RAW: (made[1],)}


def test_one_dataset_is_forgotten_with_its_quarantine_and_no_other(chain):
    for rows in (*ROWS[:3], ROWS[0]):
        chain.make(RAW, rows)
        chain.make(CLEAN)
    before = chain.known(RAW)
    gone = expire(chain.services, NOW, CLEAN)
    assert set(gone) == {CLEAN, quarantine_name(CLEAN)}
    assert chain.known(RAW) == before
    assert chain.quarantined(CLEAN) == [2]


def test_a_hold_keeps_every_version_its_quarantine_and_what_they_were_made_from(chain):
    made = [(chain.make(RAW, rows), chain.make(CLEAN)) for rows in ROWS[:3]]
    place_hold(chain.services, chain.person("p-law"), "case-17", [CLEAN], "The court asked for it.")
    held = chain.known(quarantine_name(CLEAN))
    assert expire(chain.services, NOW) == {}
    lift_hold(chain.services, chain.person("p-law"), "case-17", "The case is closed.")
    gone = expire(chain.services, NOW)
    assert set(gone[RAW]) == {raw for raw, _ in made[:-1]}
    assert set(gone[CLEAN]) == {clean for _, clean in made[:-1]}
    assert set(gone[quarantine_name(CLEAN)]) < held


@pytest.mark.parametrize("what", ["a hold", "a release"])
def test_what_is_decided_while_it_forgets_is_heeded(chain, monkeypatch, what):
    signer = chain.person("p-law")
    old, _ = (chain.make(RAW, rows) for rows in ROWS[:2])
    chain.make(CLEAN)
    real = chain.services.warehouse.expire

    def meanwhile(*arguments, **more):
        monkeypatch.undo()
        if what == "a hold":
            place_hold(chain.services, signer, "case-17", [RAW], "The court asked for it.")
        else:
            create_release(chain.services, [CLEAN], "1.0.0")
        return real(*arguments, **more)

    monkeypatch.setattr(chain.services.warehouse, "expire", meanwhile)
    gone = expire(chain.services, NOW)
    assert (gone, old in chain.known(RAW)) == (({}, True) if what == "a hold" else ({RAW: (old,)}, False))


def test_a_log_that_never_rests_is_given_up_on_and_nothing_is_forgotten(chain, monkeypatch):
    made = {chain.make(RAW, rows) for rows in ROWS[:2]}
    monkeypatch.setattr(chain.services.log, "stands_at", lambda *_: False)
    with pytest.raises(Conflict) as caught:
        expire(chain.services, NOW)
    assert (caught.value.key, chain.known(RAW)) == ("warehouse.busy", made)


def test_nothing_is_published_whose_input_expired_while_it_was_made(chain):
    chain.make(RAW, ROWS[0])

    def slow(source):
        chain.make(RAW, ROWS[1])
        expire(chain.services, NOW)
        return "SELECT id, amount, mail FROM source"

    step = replace(chain.steps[CLEAN], compute=slow)
    with pytest.raises(WarehouseError) as caught:
        run_step(step, StepRequest(str(uuid.uuid4())), chain.services)
    assert caught.value.key == "step.input_expired"
    assert chain.services.warehouse.head(CLEAN) is None
    assert chain.services.warehouse.candidates() == []
    chain.make(CLEAN)
    assert chain.ids(CLEAN) == [3]


def test_where_another_engine_published_everything_it_may_rest_on_stays(chain):
    first = chain.all(ROWS[0])
    chain.make(RAW, ROWS[1])
    warehouse, catalog = chain.services.warehouse, chain.services.warehouse._catalog
    catalog.load_table(PRODUCT).delete("id = 1")
    assert warehouse.head(PRODUCT) != first[PRODUCT]
    assert RAW not in expire(chain.services, NOW)
    assert {first[RAW]} <= needed_snapshots(chain.services)[RAW]


def test_a_blocked_candidate_keeps_what_it_stands_on_and_what_it_was_made_from(chain):
    base = chain.all(ROWS[0])[CLEAN]
    read = chain.make(RAW, ROWS[2])
    chain.suite = suite_of(10_000)
    found = run_step(chain.steps[CLEAN], StepRequest(str(uuid.uuid4())), chain.services)
    assert found.ending is Ending.BLOCKED
    chain.suite = suite_of(0)
    chain.make(RAW, ROWS[1])
    chain.make(CLEAN)
    gone = expire(chain.services, NOW)
    assert base not in gone.get(CLEAN, ())
    assert read in chain.known(RAW)
    (branch,) = chain.services.warehouse.candidates()
    assert len(chain.ids(CLEAN, branch.snapshot_id)) == 2


ACTS = st.lists(
    st.one_of(
        st.sampled_from([("make", RAW), ("make", CLEAN), ("make", PRODUCT)]),
        st.sampled_from([("release", PRODUCT), ("release", CLEAN), ("back", PRODUCT)]),
        st.sampled_from([("hold", CLEAN), ("hold", PRODUCT), ("lift", ""), ("begin", RAW)]),
        st.builds(lambda versions: ("expire", versions), st.integers(1, 3)),
    ),
    min_size=4,
    max_size=7,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(Chain(tmp_path_factory.mktemp("world")))
    yield found
    found.chain.close()


class World:
    """Beside a real shop, what each version was made from, as somebody wrote it down who saw it being made."""

    def __init__(self, chain):
        self.chain, self.count, self.made = chain, 0, {}
        self.releases, self.held, self.begun = [], {}, []
        chain.person("p-law")
        for dataset in NAMES:
            self.make(dataset)

    def next(self):
        self.count += 1
        return self.count

    def make(self, dataset):
        before = {RAW: None, CLEAN: RAW, PRODUCT: CLEAN}[dataset]
        head = before and self.chain.services.warehouse.head(before)
        snapshot = self.chain.make(dataset, f"{self.next()},1,a\n" if before is None else None)
        self.made.setdefault((dataset, snapshot), (before, head) if before else None)

    def release(self, dataset):
        self.releases.append(create_release(self.chain.services, [dataset], f"{self.next()}.0.0"))

    def back(self, dataset):
        for manifest in self.releases:
            if manifest.products[0].dataset == dataset:
                rollback_release(self.chain.services, self.chain.person("p-data"), manifest, "a try")
                return

    def hold(self, dataset):
        name = f"case-{self.next()}"
        place_hold(self.chain.services, self.chain.person("p-law"), name, [dataset], "asked for")
        self.held[name] = {one for one in self.made if one[0] == dataset and one[1] in self.chain.known(dataset)}

    def lift(self, _):
        for hold in holds(self.chain.services.log):
            lift_hold(self.chain.services, self.chain.person("p-law"), hold.name, "over")
        self.held.clear()

    def begin(self, dataset):
        warehouse = self.chain.services.warehouse
        columns = warehouse.columns(dataset, warehouse.head(dataset))
        run = f"r{self.next()}"
        candidate = warehouse.begin(dataset, columns, partition=run, run_id=run, attempt=1)
        with self.chain.services.engine() as engine:
            sql = f"SELECT * FROM {warehouse.scan(dataset, warehouse.head(dataset))}"
            self.begun.append(warehouse.write(engine, candidate, sql, "replace"))

    def expire(self, versions):
        expire(self.chain.services, NOW, keeps=dict.fromkeys(NAMES, Keep(versions=versions)))

    def needed(self):
        """Every version that must be there, with all that it was made from."""
        heads = [(dataset, self.chain.services.warehouse.head(dataset)) for dataset in NAMES]
        pinned = [(p.dataset, p.snapshot_id) for manifest in self.releases for p in manifest.products]
        found, waiting = set(), [*heads, *pinned, *(one for held in self.held.values() for one in held)]
        while waiting:
            found.add(one := waiting.pop())
            waiting += [before] if (before := self.made[one]) else []
        return found | {(c.dataset, c.base) for c in self.begun} | {(c.dataset, c.snapshot_id) for c in self.begun}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_nothing_that_anybody_needs_is_ever_forgotten(world, acts):
    for act, about in (*acts, ("expire", 1)):
        getattr(world, act)(about)
        if act == "expire":
            there = {(dataset, snapshot) for dataset in NAMES for snapshot in world.chain.known(dataset)}
            assert world.needed() <= there
    for dataset, snapshot in world.needed():
        world.chain.ids(dataset, snapshot)
