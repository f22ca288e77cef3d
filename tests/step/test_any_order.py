"""Every operation in any order, on real tables, beside a plain model of what must be there.

Two products are each updated in a mode of its own, from sources that deliver rows good and bad. After every operation, what
is published, quarantined, released, held and recorded must be what the model says. The suite takes a few short walks;
``pytest tests/step/test_any_order.py --hypothesis-profile long`` takes many long ones.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecluse.errors import WarehouseError
from ecluse.ledger import signer_for
from ecluse.model.names import quarantine_name
from ecluse.model.outcome import Outcome
from ecluse.project import Project
from ecluse.step.asof import published_state
from ecluse.step.compact import compact
from ecluse.step.holds import holds, lift_hold, place_hold
from ecluse.step.releases import create_release
from ecluse.step.retention import expire
from ecluse.step.rollback import rollback_release
from ecluse.step.run import run_step
from ecluse.step.services import open_services
from ecluse.step.state import Ending, StepRequest
from tests.step.plain_model import MODES, Given, Promised, published
from tests.step.products import GIVEN, opened

CHARTER = """
project: shop
problem: Which orders come back?
phase: trial
phases: [trial]
purposes: [{id: returns, description: predict returns}]
gates: [{phase: trial}]
parties:
  - {id: pipeline, attests: [run, publication, evidence, release, read]}
  - {id: counsel, roles: [{name: counsel, since: 2000-01-01}]}
"""
rows = st.builds(
    Given,
    id=st.integers(1, 5),
    at=st.integers(0, 3),
    name=st.sampled_from(["a", "b", "c", "skip"]),
    amount=st.sampled_from([1, 2, 3, -1]),
    extra=st.sampled_from([None, 7, 8]),
)
deliveries = st.lists(rows, min_size=1, max_size=5, unique_by=lambda row: (row.id, row.at)).map(tuple)
which = st.sampled_from([0, 1])


class AnyOrder(RuleBasedStateMachine):
    """What a team and its orchestrator may do to two products, in any order."""

    @initialize(modes=st.lists(st.sampled_from(list(MODES)), min_size=2, max_size=2, unique=True), strict=st.booleans())
    def open(self, modes, strict):
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        (self.folder / "charter.yaml").write_text(CHARTER)
        project = Project.find(self.folder, "demo")
        self.services = open_services(project)
        self.engine = self.services.engine()
        self.counsel = signer_for(project, self.services.charter, "counsel")
        self.products = [opened(mode, quarantines=not (strict and place)) for place, mode in enumerate(modes)]
        self.releases, self.candidates, self.held = [], Counter(), []
        self.unexpired = self.unswept = False

    def teardown(self):
        if hasattr(self, "folder"):
            self.engine.close()
            self.services.close()
            shutil.rmtree(self.folder)

    # ---- deliveries

    @rule(place=which, given=deliveries, partition=st.sampled_from([0, 1, 2]))
    def publish(self, place, given, partition):
        product = self.products[place]
        partition = product.partitions[partition % len(product.partitions)]
        self.deliver(product, product.delivery(given, partition))

    @precondition(lambda self: any(p.given for p in self.products))
    @rule(data=st.data())
    def rerun(self, data):
        """A delivery again, the last one or an older one."""
        product = data.draw(st.sampled_from([p for p in self.products if p.given]))
        earlier = data.draw(st.sampled_from(product.given[-3:]))
        self.deliver(product, replace(earlier, promised=product.promised))

    @rule(place=which, given=deliveries)
    def dry_run(self, place, given):
        product = self.products[place]
        self.source(product, given)
        before = self.services.log.size
        result = self.step(product, dry_run=True)
        wanted = published(product.mode, product.now, product.delivery(given), itertools.count(10**6))
        assert (result.ending is Ending.DRY_RUN) == (wanted is not None), result.blocks
        assert self.services.log.size == before

    @rule(place=which, given=st.lists(rows, min_size=1, max_size=3, unique_by=lambda row: row.id).map(tuple))
    def block(self, place, given):
        """Rows of which every one is bad."""
        product = self.products[place]
        broken = tuple(row._replace(amount=-1, name="a") for row in given)
        self.deliver(product, product.delivery(broken))

    def deliver(self, product, delivery):
        self.source(product, delivery.rows)
        before = product.now
        after = published(product.mode, before, delivery, product.numbers)
        result = self.step(product, partition=delivery.partition)
        again = delivery.name in {d.name for d in product.given}
        if after is None:
            assert result.ending is Ending.BLOCKED, result
            self.candidates[result.branch] += 1
            self.unswept = True
            return
        if after is before and product.mode == "append":
            assert result.ending is Ending.UNCHANGED, result
        assert result.ending in (Ending.PUBLISHED, *([Ending.UNCHANGED] if again else [])), result.blocks
        product.given.append(delivery)
        if result.ending is Ending.PUBLISHED:
            self.accounted(result.accounting, delivery, before, after)
            self.moved(product, after)
        else:
            product.now = after

    def source(self, product, given):
        """The rows arrive as a file of the product's source."""
        lines = [",".join("" if value is None else str(value) for value in row) for row in given]
        path = self.folder / f"{product.mode}.csv"
        path.write_text("\n".join([",".join(GIVEN), *lines, ""]))
        result = run_step(product.source(path), StepRequest(str(uuid.uuid4())), self.services)
        assert result.ending is (Ending.UNCHANGED if product.raw == given else Ending.PUBLISHED), result.blocks
        product.raw = given

    def step(self, product, **request):
        return run_step(product.step(), StepRequest(str(uuid.uuid4()), **request), self.services)

    def accounted(self, found, delivery, before, after):
        assert found.outcome is Outcome.HELD, found
        assert (found.driving, found.computed) == (len(delivery.rows), len(delivery.computed))
        assert found.quarantined == found.driving_quarantined == len(delivery.bad)
        assert found.filtered == {"skipped": len(delivery.rows) - len(delivery.computed)}
        assert (found.previous, found.current) == (len(before.rows), len(after.rows))

    def moved(self, product, version):
        product.now = version
        head = self.services.warehouse.head(product.name)
        product.versions[head] = version
        product.moments.append((datetime.now(UTC), head))
        self.unexpired = self.unswept = True

    # ---- columns

    @rule(place=which, data=st.data(), given=deliveries)
    def change_columns(self, place, data, given):
        """The contract changes, and the next delivery is under the new one."""
        product = self.products[place]
        columns = list(product.promised)
        extras = [p for p in columns if p.source == "extra"]
        kinds = ["add", "widen", "rename", "reorder", *(["drop"] if extras else [])]
        kind = data.draw(st.sampled_from(kinds))
        taken = {name for p in columns for name in (p.name, *p.was)}
        if kind == "add":
            # NOTE: the name of a column that was dropped may come back, and its values may not.
            name = next(n for n in (f"extra{i}" for i in itertools.count()) if n not in taken)
            columns.append(Promised(name, "BIGINT", "extra"))
        elif kind == "widen":
            columns = [replace(p, type="BIGINT") if p.source == "amount" else p for p in columns]
        elif kind == "rename":
            old = data.draw(st.sampled_from([p for p in columns if p.source in ("amount", "extra")]))
            fresh = next(n for n in (f"{old.source}_{i}" for i in itertools.count()) if n not in taken)
            columns = [replace(p, name=fresh, was=(p.name, *p.was)) if p is old else p for p in columns]
        elif kind == "drop":
            columns.remove(data.draw(st.sampled_from(extras)))
        else:
            columns = data.draw(st.permutations(columns))
        product.promised = tuple(columns)
        self.deliver(product, product.delivery(given))

    # ---- versions

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def release(self, data):
        ready = [p.name for p in self.products if p.versions]
        names = data.draw(st.lists(st.sampled_from(ready), min_size=1, unique=True))
        manifest = create_release(self.services, names)
        self.releases.append((manifest, {p.name: p.now for p in self.products if p.name in names}))

    @precondition(lambda self: self.releases)
    @rule(data=st.data())
    def roll(self, data):
        """Back to a release, or forward again."""
        manifest, versions = data.draw(st.sampled_from(self.releases))
        rollback_release(self.services, manifest, "look again")
        for product in self.products:
            if product.name in versions:
                self.moved(product, versions[product.name])

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def compact(self, data):
        product = data.draw(st.sampled_from([p for p in self.products if p.versions]))
        if tuple(f.name for f in product.now.fields) != tuple(p.name for p in product.promised):
            return
        done = compact(self.services, product.step())
        files = self.services.warehouse.files(product.name, self.services.warehouse.head(product.name))
        assert max(Counter(f.partition for f in files).values(), default=0) <= 1
        if done.snapshot_id is not None:
            self.moved(product, product.now)

    @precondition(lambda self: any(p.versions for p in self.products))
    @rule(data=st.data())
    def read_as_of(self, data):
        product = data.draw(st.sampled_from([p for p in self.products if p.versions]))
        moment, snapshot = data.draw(st.sampled_from(product.moments))
        assert published_state(self.services, product.name, moment.isoformat()).snapshot_id == snapshot
        assert published_state(self.services, product.name, str(snapshot)).snapshot_id == snapshot

    # ---- keeping and forgetting

    @precondition(lambda self: any(p.versions for p in self.products) and not self.held)
    @rule(data=st.data())
    def hold(self, data):
        self.held = [data.draw(st.sampled_from([p.name for p in self.products if p.versions]))]
        place_hold(self.services, self.counsel, f"case-{uuid.uuid4()}", self.held, "a court asked")

    @precondition(lambda self: self.held)
    @rule()
    def lift(self):
        (hold,) = holds(self.services)
        lift_hold(self.services, self.counsel, hold.name, "the case is closed")
        self.held = []

    @precondition(lambda self: self.unexpired)
    @rule()
    def expire(self):
        self.unexpired = False
        forgotten = expire(self.services, timedelta(0))
        for product in self.products:
            gone = set(forgotten.get(product.name, ()))
            assert product.name not in self.held or not gone
            for snapshot in gone & product.versions.keys():
                del product.versions[snapshot]
                with pytest.raises(WarehouseError, match="no snapshot"):
                    self.services.warehouse.scan(product.name, snapshot)

    @precondition(lambda self: self.unswept)
    @rule()
    def sweep(self):
        self.unswept = False
        self.services.warehouse.sweep(grace=timedelta(0))
        assert self.services.warehouse.sweep(grace=timedelta(0)) == ()

    @precondition(lambda self: self.candidates)
    @rule(data=st.data())
    def discard(self, data):
        name = data.draw(st.sampled_from(sorted(self.candidates)))
        (found,) = [b for b in self.services.warehouse.candidates() if b.branch == name]
        self.services.warehouse.discard(found)
        del self.candidates[name]

    # ---- what holds after each of them

    @invariant()
    def what_is_published_is_what_the_model_says(self):
        for product in getattr(self, "products", ()):
            head = self.services.warehouse.head(product.name) if self.services.warehouse.exists(product.name) else None
            assert (head is not None) == bool(product.versions)
            if head is None:
                continue
            assert self.read(product.name, head) == product.now.rows
            assert self.columns(product.name, head) == [(f.name, f.type) for f in product.now.fields]
            assert self.quarantined(product) == product.now.quarantine

    @invariant()
    def every_version_that_was_not_forgotten_reads_its_own_rows(self):
        for product in getattr(self, "products", ()):
            for snapshot, version in product.versions.items():
                assert self.read(product.name, snapshot) == version.rows

    @invariant()
    def every_release_reads_its_own_rows(self):
        for manifest, versions in getattr(self, "releases", ()):
            for pinned in manifest.products:
                assert self.read(pinned.dataset, pinned.snapshot_id) == versions[pinned.dataset].rows
            for entry in manifest.inputs:
                self.read(entry.dataset, entry.snapshot_id)

    @invariant()
    def the_log_verifies_and_tells_of_every_candidate(self):
        if hasattr(self, "services"):
            self.services.log.verify()
            assert {b.branch for b in self.services.warehouse.candidates()} == set(self.candidates)

    def read(self, dataset, snapshot):
        names = ", ".join(f'"{name}"' for name, _ in self.columns(dataset, snapshot))
        found = self.engine.rows(f"SELECT {names} FROM {self.services.warehouse.scan(dataset, snapshot)}")
        return sorted(found, key=repr)

    def columns(self, dataset, snapshot):
        found = self.services.warehouse.columns(dataset, snapshot)
        return [(name, kind) for name, kind in found.items() if not name.startswith("_")]

    def quarantined(self, product):
        warehouse, name = self.services.warehouse, quarantine_name(product.name)
        head = warehouse.head(name) if warehouse.exists(name) else None
        if head is None:
            return []
        return sorted(self.engine.rows(f'SELECT id, "{product.time}" FROM {warehouse.scan(name, head)}'))


SHORT = settings(max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(SHORT, max_examples=200, stateful_step_count=40)

TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = LONG if settings.get_current_profile_name() == "long" else SHORT
